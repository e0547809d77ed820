package dev.percpu.listing;

import java.util.List;

/**
 * A variable or a structure that has a name, as {@code PerCpuRuntime.variables()} lists it. It does not keep the
 * variable alive, unless that lives as long as the process anyway.
 */
public interface Variable {
    /**
     * Tells the variables with one name apart: no other variable that is or was listed in this process has this number.
     * So a reader of values sees whether a variable has been closed, and another of the same name made since.
     */
    long serial();

    /** The name it was given; it need not be unique. */
    String name();

    /** What it is: a number's width, a structure's class, a memory layout. */
    String type();

    /**
     * Reads the values now. The list is empty if the variable was closed or has become unreachable, or if it has no
     * values that can be read without a guard: objects and memory have none. Reading is not an atomic snapshot. It has
     * the lock of a pool, a bounded counter or a read-write lock for a moment, and operations that need that
     * lock wait. No others do.
     *
     * <p>Reading an accumulator calls its function, in this thread and with no lock held.
     *
     * @throws IllegalStateException if the variable is closed meanwhile
     * @throws RuntimeException what an accumulator's function throws
     */
    List<Value> values();
}

package dev.percpu.internal.backend;

import dev.percpu.NumericWidth;
import dev.percpu.internal.code.Op;

/** How the current CPU's instances are updated. A position is a variable's place in the per-CPU area. */
public interface Backend {
    /** What {@link #tryAcquire} returns on a thread of which the kernel does not tell the CPU. */
    int NO_CPU = Integer.MIN_VALUE;

    String name();

    /** The CPU that the thread runs on, from 0 to the area's number of CPUs exclusive; a hint. */
    int currentCpu();

    /**
     * Does the operation on the current CPU's instance of a number that no guard protects, in one step that no other
     * operation on it can come into the middle of. Never waits.
     *
     * @return the new value of {@link Op#ADD}, {@link Op#ADD_DOUBLE}, {@link Op#AND} and {@link Op#OR}, else the old;
     *     only the bits of the width count
     */
    long update(Op op, NumericWidth width, long position, long operand, long expected);

    /**
     * Does the operation on the current CPU's instance of a number that the guard protects, unless the CPU's guard is
     * taken.
     *
     * @return false if nothing was done; then it has to be done with the guard held
     */
    boolean updateUnlessGuarded(Op op, NumericWidth width, long position, long operand);

    /**
     * Tries to make {@code owner} the owner of the current CPU's guard.
     *
     * @return the CPU if it worked, its complement ({@code ~cpu}) if the CPU's guard is taken, or {@link #NO_CPU}
     */
    int tryAcquire(long owner);

    /**
     * Tries to make {@code owner} the owner of a given CPU's guard, from any CPU.
     *
     * @return false if the guard is taken
     */
    boolean tryAcquireOn(int cpu, long owner);
}

package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.Registry;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.WidthAccess;
import dev.percpu.internal.code.Op;
import dev.percpu.memory.AreaFullException;
import dev.percpu.memory.NumericWidth;
import java.lang.ref.Reference;

/**
 * A number of 8, 16, 32 or 64 bits of which every CPU has its own, updated in one step without a lock and without an
 * atomic instruction.
 *
 * <pre>{@code
 * static final PerCpuNumeric REQUESTS = PerCpuNumeric.define("requests", NumericWidth.LONG);
 *
 * REQUESTS.increment();
 * long total = REQUESTS.sum();
 * }</pre>
 *
 * <p>The operations are the kernel's {@code this_cpu_*}. Each is exact: it happens once, on the instance of a CPU that
 * the thread runs on during the call, however the thread is preempted, moved or signalled. Updates are opaque, and
 * order nothing else. Arithmetic wraps at the width; values go in and out sign-extended as {@code long}.
 *
 * <p>A number of its own ({@link #define(String, NumericWidth)}, {@link #create(NumericWidth)}) takes its width in
 * bytes for each CPU, is never waited for, and no guard protects it. One that {@link #of} makes belongs to a variable
 * that the guard protects: an update waits while another thread owns the CPU.
 *
 * <p>A thread that the kernel gives no CPU id counts in the spare slot, atomically. {@link #sum()} includes it.
 *
 * <p>Each operation throws {@link IllegalStateException} if the number is closed.
 */
public abstract sealed class PerCpuNumeric permits PureNumeric, GuardedNumeric, ExternNumeric {
    PerCpuNumeric() {}

    /**
     * Defines a number that lives as long as the process and begins as 0 on each CPU. A page of them that a CPU never
     * updates costs no memory on that CPU.
     *
     * @param name for messages and listings; it need not be unique
     * @throws AreaFullException if the per-CPU area is full
     */
    public static PerCpuNumeric define(String name, NumericWidth width) {
        return define(name, width, 0);
    }

    /**
     * Defines a number that lives as long as the process.
     *
     * @param name for messages and listings; it need not be unique
     * @param initial what it begins with on each possible CPU, cut to the width
     * @throws AreaFullException if the per-CPU area is full
     */
    public static PerCpuNumeric define(String name, NumericWidth width, long initial) {
        StaticNumeric number = new StaticNumeric(name, width, initial);
        Registry.addStatic(name, width.toString(), number);
        return number;
    }

    /**
     * Creates a number that can be closed, and that begins as 0 on each CPU.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicNumeric create(NumericWidth width) {
        return create(width, 0);
    }

    /**
     * Creates a number that can be closed.
     *
     * @param initial what it begins with on each possible CPU, cut to the width
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicNumeric create(NumericWidth width, long initial) {
        return new DynamicNumeric("a dynamic per-CPU " + width, width, initial);
    }

    /**
     * Creates a number that can be closed, and that has a name.
     *
     * @param name for messages and listings; it need not be unique
     * @param initial what it begins with on each possible CPU, cut to the width
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicNumeric create(String name, NumericWidth width, long initial) {
        DynamicNumeric number = new DynamicNumeric(Registry.checkName(name), width, initial);
        Registry.add(name, width.toString(), number);
        return number;
    }

    /** The operations on a number that the guard protects: the Rust API's {@code num()}. */
    public static PerCpuNumeric of(PerCpu<NumericCell> variable) {
        return new GuardedNumeric(variable);
    }

    /** How wide the number is. */
    public abstract NumericWidth width();

    /** Does the operation on the current CPU's instance; see {@code Backend.update} for the result. */
    abstract long update(Op op, long operand, long expected);

    /** Does an operation whose result is not wanted. */
    abstract void update(Op op, long operand);

    /** Where the number lies in each CPU's place. */
    abstract long position();

    /** The current CPU's number: {@code this_cpu_read}. */
    public long get() {
        return update(Op.READ, 0, 0);
    }

    /** Sets the current CPU's number: {@code this_cpu_write}. */
    public void set(long value) {
        update(Op.XCHG, value);
    }

    /** Adds to the current CPU's number: {@code this_cpu_add}. */
    public void add(long delta) {
        update(Op.ADD, delta);
    }

    /** Subtracts from the current CPU's number: {@code this_cpu_sub}. */
    public void sub(long delta) {
        add(-delta);
    }

    /** Adds 1 to the current CPU's number: {@code this_cpu_inc}. */
    public void increment() {
        add(1);
    }

    /** Subtracts 1 from the current CPU's number: {@code this_cpu_dec}. */
    public void decrement() {
        add(-1);
    }

    /** Adds to the current CPU's number and returns what it is then: {@code this_cpu_add_return}. */
    public long addAndGet(long delta) {
        return update(Op.ADD, delta, 0);
    }

    /** Adds to the current CPU's number and returns what it was. */
    public long getAndAdd(long delta) {
        return width().wrap(addAndGet(delta) - delta);
    }

    /** Clears the bits of the current CPU's number that {@code mask} has not: {@code this_cpu_and}. */
    public void and(long mask) {
        update(Op.AND, mask);
    }

    /** Sets the bits of {@code mask} in the current CPU's number: {@code this_cpu_or}. */
    public void or(long mask) {
        update(Op.OR, mask);
    }

    /** Sets the current CPU's number and returns what it was: {@code this_cpu_xchg}. */
    public long getAndSet(long value) {
        return update(Op.XCHG, value, 0);
    }

    /**
     * Sets the current CPU's number if it is {@code expected}: {@code this_cpu_cmpxchg}.
     *
     * @return what it was; the value was set if that is {@code expected}, cut to the width
     */
    public long compareAndExchange(long expected, long value) {
        return update(Op.CMPXCHG, value, expected);
    }

    /** The number of a given CPU, seen from any: {@code per_cpu}. */
    public long get(CpuId cpu) {
        return read(cpu.id());
    }

    /**
     * The sum over all possible CPUs and all updates of threads without a CPU id, wrapped at 64 bits, not at the
     * number's width. It is not an atomic snapshot: it holds every update that happened before the call, and some of
     * those that happen during it.
     */
    public long sum() {
        long sum = 0;
        for (int cpu = 0; cpu <= Area.SPARE; cpu++) {
            sum += read(cpu);
        }
        return sum;
    }

    /** What {@link #sum()} holds of threads that the kernel gave no CPU id; almost always 0. */
    public long sumWithoutCpu() {
        return read(Area.SPARE);
    }

    /** Every possible CPU's number, by the CPU's id, with 0 for ids that no possible CPU has. */
    public long[] snapshot() {
        long[] numbers = new long[CpuMask.capacity()];
        for (int cpu = 0; cpu < numbers.length; cpu++) {
            numbers[cpu] = read(cpu);
        }
        return numbers;
    }

    /** Calls {@code action} with every possible CPU's number. */
    public void forEachCpu(Visitor action) {
        for (CpuId cpu : CpuMask.possible()) {
            action.accept(cpu, get(cpu));
        }
    }

    /** What {@link #forEachCpu} calls. */
    @FunctionalInterface
    public interface Visitor {
        /** Receives a CPU's number. */
        void accept(CpuId cpu, long number);
    }

    private long read(int cpu) {
        try {
            return WidthAccess.get(width(), Area.offset(cpu, position()));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public abstract String toString();
}

package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.internal.code.Op;
import dev.percpu.memory.AreaFullException;
import dev.percpu.memory.NumericWidth;

/**
 * A {@code double} of which every CPU has its own, updated in one step: {@link PerCpuNumeric} tells how, and what the
 * operations guarantee. No guard protects it.
 *
 * <p>Addition of doubles is not associative, so sums of the same additions can differ in their last bits.
 */
public final class PerCpuDouble implements AutoCloseable, PerCpuRuntime.Defined {
    private final PureNumeric bits;

    private PerCpuDouble(PureNumeric bits, double initial) {
        this.bits = bits;
        bits.initialize(Double.doubleToRawLongBits(initial));
    }

    /**
     * Defines a number that lives as long as the process.
     *
     * @param name for messages and listings; it need not be unique
     * @param initial what it begins with on each possible CPU; with 0 nothing is made resident
     * @throws AreaFullException if the per-CPU area is full
     */
    public static PerCpuDouble define(String name, double initial) {
        PureNumeric bits = new PureNumeric(name, NumericWidth.LONG, PureNumeric.Lifetime.STATIC);
        PerCpuDouble number = new PerCpuDouble(bits, initial);
        PerCpuRuntime.register(number);
        return number;
    }

    /**
     * Makes a number that can be closed. One that becomes unreachable gives its memory back by itself.
     *
     * @param initial what it begins with on each possible CPU
     * @throws AreaFullException if the per-CPU area is full
     */
    public static PerCpuDouble create(double initial) {
        PureNumeric bits = new PureNumeric("a dynamic per-CPU double", NumericWidth.LONG, PureNumeric.Lifetime.DYNAMIC);
        return new PerCpuDouble(bits, initial);
    }

    /** The name it was defined with. */
    @Override
    public String name() {
        return bits.name();
    }

    /** What it is, for listings. */
    @Override
    public String type() {
        return "DOUBLE";
    }

    /** The current CPU's number: {@code this_cpu_read}. */
    public double get() {
        return Double.longBitsToDouble(bits.get());
    }

    /** Sets the current CPU's number: {@code this_cpu_write}. */
    public void set(double value) {
        bits.set(Double.doubleToRawLongBits(value));
    }

    /** Adds to the current CPU's number: {@code this_cpu_add}. */
    public void add(double delta) {
        bits.update(Op.ADD_DOUBLE, Double.doubleToRawLongBits(delta));
    }

    /** Adds to the current CPU's number and returns what it is then: {@code this_cpu_add_return}. */
    public double addAndGet(double delta) {
        return Double.longBitsToDouble(bits.update(Op.ADD_DOUBLE, Double.doubleToRawLongBits(delta), 0));
    }

    /** Sets the current CPU's number and returns what it was: {@code this_cpu_xchg}. */
    public double getAndSet(double value) {
        return Double.longBitsToDouble(bits.getAndSet(Double.doubleToRawLongBits(value)));
    }

    /**
     * Sets the current CPU's number if it has the same bits as {@code expected}: {@code this_cpu_cmpxchg}. So 0.0 is
     * not -0.0 here, and a NaN is itself.
     *
     * @return what it was
     */
    public double compareAndExchange(double expected, double value) {
        return Double.longBitsToDouble(
                bits.compareAndExchange(Double.doubleToRawLongBits(expected), Double.doubleToRawLongBits(value)));
    }

    /** The number of a given CPU, seen from any: {@code per_cpu}. */
    public double get(CpuId cpu) {
        return Double.longBitsToDouble(bits.get(cpu));
    }

    /** The sum over all possible CPUs and all threads without a CPU id: see {@link PerCpuNumeric#sum()}. */
    public double sum() {
        double sum = Double.longBitsToDouble(bits.sumWithoutCpu());
        for (long number : bits.snapshot()) {
            sum += Double.longBitsToDouble(number);
        }
        return sum;
    }

    /**
     * Ends a number that {@link #create} made: every operation on it throws from then on. Closing it again does
     * nothing.
     *
     * @throws UnsupportedOperationException if it is a static number
     */
    @Override
    public void close() {
        bits.close();
    }

    @Override
    public String toString() {
        return Double.toString(sum());
    }
}

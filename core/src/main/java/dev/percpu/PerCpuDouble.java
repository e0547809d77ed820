package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.internal.Registry;
import dev.percpu.internal.code.Op;
import dev.percpu.memory.AreaFullException;
import dev.percpu.memory.NumericWidth;
import java.util.stream.LongStream;

/**
 * A {@code double} of which every CPU has its own, updated in one step: {@link PerCpuNumeric} tells how, and what the
 * operations guarantee. No guard protects it.
 *
 * <p>Addition of doubles is not associative, so sums of the same additions can differ in their last bits.
 */
public sealed class PerCpuDouble permits DynamicDouble {
    private static final String TYPE = "DOUBLE";

    private final PureNumeric bits;

    PerCpuDouble(PureNumeric bits) {
        this.bits = bits;
    }

    /**
     * Defines a number that lives as long as the process and begins as 0 on each CPU.
     *
     * @param name for messages and listings; it need not be unique
     * @throws AreaFullException if the per-CPU area is full
     */
    public static PerCpuDouble define(String name) {
        return define(name, 0);
    }

    /**
     * Defines a number that lives as long as the process.
     *
     * @param name for messages and listings; it need not be unique
     * @param initial what it begins with on each possible CPU; with 0 nothing is made resident
     * @throws AreaFullException if the per-CPU area is full
     */
    public static PerCpuDouble define(String name, double initial) {
        PerCpuDouble number =
                new PerCpuDouble(new StaticNumeric(name, NumericWidth.LONG, Double.doubleToRawLongBits(initial)));
        Registry.addStatic(name, TYPE, number);
        return number;
    }

    /**
     * Creates a number that can be closed, and that begins as 0 on each CPU.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicDouble create() {
        return create(0);
    }

    /**
     * Creates a number that can be closed.
     *
     * @param initial what it begins with on each possible CPU
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicDouble create(double initial) {
        return new DynamicDouble("a dynamic per-CPU double", initial);
    }

    /**
     * Creates a number that can be closed, and that has a name.
     *
     * @param name for messages and listings; it need not be unique
     * @param initial what it begins with on each possible CPU
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicDouble create(String name, double initial) {
        DynamicDouble number = new DynamicDouble(Registry.checkName(name), initial);
        Registry.add(name, TYPE, number);
        return number;
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

    /** Subtracts from the current CPU's number: {@code this_cpu_sub}. */
    public void sub(double delta) {
        add(-delta);
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
        double sum = sumWithoutCpu();
        for (double number : snapshot()) {
            sum += number;
        }
        return sum;
    }

    /** What {@link #sum()} holds of threads that the kernel gave no CPU id; almost always 0. */
    public double sumWithoutCpu() {
        return Double.longBitsToDouble(bits.sumWithoutCpu());
    }

    /** Every possible CPU's number, by the CPU's id, with 0 for ids that no possible CPU has. */
    public double[] snapshot() {
        return LongStream.of(bits.snapshot())
                .mapToDouble(Double::longBitsToDouble)
                .toArray();
    }

    /** Calls {@code action} with every possible CPU's number. */
    public void forEachCpu(Visitor action) {
        bits.forEachCpu((cpu, number) -> action.accept(cpu, Double.longBitsToDouble(number)));
    }

    /** What {@link #forEachCpu} calls. */
    @FunctionalInterface
    public interface Visitor {
        /** Receives a CPU's number. */
        void accept(CpuId cpu, double number);
    }

    /** The name and the {@link #sum()}, or that it is closed. */
    @Override
    public String toString() {
        return bits.isClosed() ? bits.name() + ", closed" : bits.name() + " = " + sum();
    }
}

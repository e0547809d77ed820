package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.Claim;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.listing.Values;
import dev.percpu.listing.Value;
import dev.percpu.memory.AreaFullException;
import dev.percpu.memory.NumericWidth;
import java.util.List;

/**
 * A per-CPU {@code double}: each CPU has its own instance, and a thread updates it in one step. {@link PerCpuNumeric}
 * describes how, and what the operations guarantee. No guard protects the number.
 *
 * <p>Addition of doubles is not associative, so sums of the same additions can differ in their last bits. For the same
 * reason there is no {@code getAndAdd}: subtracting what was added from the result of {@link #addAndGet} need not give
 * the old value.
 */
public sealed class PerCpuDouble permits DynamicDouble {
    static final String TYPE = "DOUBLE";

    private static final long MINUS_ZERO = Double.doubleToRawLongBits(-0.0);

    final PureNumeric bits;

    /**
     * Whether an instance may be -0.0, which is the only number that adding 0.0 changes. A sum is -0.0 only if both of
     * its parts are, so some thread must have set a -0.0 before. It sets this field first.
     */
    private volatile boolean perhapsMinusZero;

    PerCpuDouble(PureNumeric bits, double initial) {
        this.bits = bits;
        perhapsMinusZero = isMinusZero(initial);
    }

    private static boolean isMinusZero(double value) {
        return Double.doubleToRawLongBits(value) == MINUS_ZERO;
    }

    /** The bits of a number that is about to be set. */
    private long bitsToSet(double value) {
        if (isMinusZero(value)) {
            perhapsMinusZero = true;
        }
        return Double.doubleToRawLongBits(value);
    }

    /**
     * Defines a number that lives as long as the process and starts at 0 on each CPU.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @throws AreaFullException if the per-CPU area is full
     */
    public static PerCpuDouble define(String name) {
        return define(name, 0);
    }

    /**
     * Defines a number that lives as long as the process.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param initial the initial value on each possible CPU; with 0, no memory becomes resident
     * @throws AreaFullException if the per-CPU area is full
     */
    public static PerCpuDouble define(String name, double initial) {
        try (Claim memory = Area.claim(Double.BYTES, Double.BYTES, Registry.checkName(name))) {
            PerCpuDouble number = new PerCpuDouble(
                    new PureNumeric(name, NumericWidth.LONG, memory.position(), Double.doubleToRawLongBits(initial)),
                    initial);
            Registry.addStatic(name, TYPE, number, PerCpuDouble::values);
            memory.keep();
            return number;
        }
    }

    /**
     * Creates a number that can be closed and that starts at 0 on each CPU.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicDouble create() {
        return create(0);
    }

    /**
     * Creates a number that can be closed.
     *
     * @param initial the initial value on each possible CPU
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicDouble create(double initial) {
        return new DynamicDouble("a dynamic per-CPU double", initial);
    }

    /**
     * Creates a number that can be closed, that has a name, and that starts at 0 on each CPU.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicDouble create(String name) {
        return create(name, 0);
    }

    /**
     * Creates a number that can be closed and that has a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param initial the initial value on each possible CPU
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicDouble create(String name, double initial) {
        return new DynamicDouble(Registry.checkName(name), initial).listed(name);
    }

    /** The current CPU's number: {@code this_cpu_read}. */
    public double get() {
        return Double.longBitsToDouble(bits.get());
    }

    /** Sets the current CPU's number: {@code this_cpu_write}. */
    public void set(double value) {
        bits.set(bitsToSet(value));
    }

    /** Adds to the current CPU's number: {@code this_cpu_add}. */
    public void add(double delta) {
        if (delta == 0 && (!perhapsMinusZero || isMinusZero(delta))) {
            bits.checkOpen();
        } else {
            bits.update(Op.ADD_DOUBLE, Double.doubleToRawLongBits(delta));
        }
    }

    /** Subtracts from the current CPU's number: {@code this_cpu_sub}. */
    public void sub(double delta) {
        add(-delta);
    }

    /** Adds to the current CPU's number and returns the new value: {@code this_cpu_add_return}. */
    public double addAndGet(double delta) {
        return Double.longBitsToDouble(bits.update(Op.ADD_DOUBLE, Double.doubleToRawLongBits(delta), 0));
    }

    /** Sets the current CPU's number and returns the old value: {@code this_cpu_xchg}. */
    public double getAndSet(double value) {
        return Double.longBitsToDouble(bits.getAndSet(bitsToSet(value)));
    }

    /**
     * Sets the current CPU's number if it has the same bits as {@code expected}: {@code this_cpu_cmpxchg}. So here 0.0
     * differs from -0.0, and a NaN equals a NaN with the same bits.
     *
     * @return the old value
     */
    public double compareAndExchange(double expected, double value) {
        return Double.longBitsToDouble(bits.compareAndExchange(Double.doubleToRawLongBits(expected), bitsToSet(value)));
    }

    /** The number of a given CPU, which a thread on any CPU can read: {@code per_cpu}. */
    public double get(CpuId cpu) {
        return Double.longBitsToDouble(bits.get(cpu));
    }

    /** The sum over all possible CPUs and all updates by threads without a CPU id: see {@link PerCpuNumeric#sum()}. */
    public double sum() {
        double sum = elsewhere();
        for (double number : snapshot()) {
            sum += number;
        }
        return sum;
    }

    /** The part of {@link #sum()} that lies on no CPU: the updates of threads without a CPU id; almost always 0. */
    public double elsewhere() {
        return Double.longBitsToDouble(bits.elsewhere());
    }

    /** The numbers of all possible CPUs, indexed by CPU id, with 0 at ids that belong to no possible CPU. */
    public double[] snapshot() {
        // No stream: if the heap is full when the JVM first links a lambda, no later call could succeed either.
        long[] all = bits.snapshot();
        double[] numbers = new double[all.length];
        for (int i = 0; i < all.length; i++) {
            numbers[i] = Double.longBitsToDouble(all[i]);
        }
        return numbers;
    }

    final List<Value> values() {
        return List.of(Values.sum("value", snapshot(), elsewhere()));
    }

    /** The name and the {@link #sum()}, or the name and that the number is closed. */
    @Override
    public String toString() {
        return bits.isClosed() ? bits.name() + ", closed" : bits.name() + " = " + sum();
    }
}

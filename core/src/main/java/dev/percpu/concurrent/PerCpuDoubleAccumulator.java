package dev.percpu.concurrent;

import static java.lang.Double.doubleToRawLongBits;
import static java.lang.Double.longBitsToDouble;

import dev.percpu.internal.listing.Registry;
import dev.percpu.memory.AreaFullException;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.Serial;
import java.io.Serializable;
import java.util.Objects;
import java.util.function.DoubleBinaryOperator;

/**
 * A {@code double} that many threads combine values into, such as a maximum. It has the methods of a
 * {@link java.util.concurrent.atomic.DoubleAccumulator}, and a part of its value on each CPU. It is a
 * {@link PerCpuAccumulator} of the doubles' bits, and has its costs and guarantees.
 *
 * <p>As there, the function must be associative and commutative, up to rounding, and free of side effects.
 */
public final class PerCpuDoubleAccumulator extends Number {
    @Serial
    private static final long serialVersionUID = 1;

    private final transient PerCpuAccumulator bits;
    private final transient DoubleBinaryOperator function;
    private final transient double identity;

    /**
     * Creates an accumulator that has the identity's value.
     *
     * @param accumulatorFunction combines two values
     * @param identity the value that, combined with any other value, gives that other value
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuDoubleAccumulator(DoubleBinaryOperator accumulatorFunction, double identity) {
        this(new Label("a PerCpuDoubleAccumulator"), accumulatorFunction, identity);
    }

    /**
     * Creates an accumulator that has the identity's value, and a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param accumulatorFunction combines two values
     * @param identity the value that, combined with any other value, gives that other value
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuDoubleAccumulator(String name, DoubleBinaryOperator accumulatorFunction, double identity) {
        this(Label.named(name), accumulatorFunction, identity);
        Registry.add(
                name,
                "PerCpuDoubleAccumulator",
                this,
                accumulator -> accumulator.bits.values(Double::longBitsToDouble));
    }

    private PerCpuDoubleAccumulator(Label label, DoubleBinaryOperator accumulatorFunction, double identity) {
        this.function = Objects.requireNonNull(accumulatorFunction, "accumulatorFunction");
        this.identity = identity;
        this.bits = new PerCpuAccumulator(
                label,
                (left, right) -> doubleToRawLongBits(
                        accumulatorFunction.applyAsDouble(longBitsToDouble(left), longBitsToDouble(right))),
                doubleToRawLongBits(identity));
    }

    /** Combines a value into this one. */
    public void accumulate(double x) {
        bits.accumulate(doubleToRawLongBits(x));
    }

    /** As {@link PerCpuAccumulator#identity}. */
    public double identity() {
        return identity;
    }

    /** All values since the last reset, combined; not an atomic snapshot while there are updates or resets. */
    public double get() {
        return longBitsToDouble(bits.get());
    }

    /** As {@link PerCpuAccumulator#reset}. */
    public void reset() {
        bits.reset();
    }

    /** Returns the value and resets, in one step: exactly the values in the result are no longer in the accumulator. */
    public double getThenReset() {
        return longBitsToDouble(bits.getThenReset());
    }

    /** The value: {@link #get()}. */
    @Override
    public double doubleValue() {
        return get();
    }

    /** The value: {@link #get()}, cut to an integer. */
    @Override
    public long longValue() {
        return (long) get();
    }

    /** The value: {@link #get()}, cut to an integer. */
    @Override
    public int intValue() {
        return (int) get();
    }

    /** The value: {@link #get()}, rounded. */
    @Override
    public float floatValue() {
        return (float) get();
    }

    /** The value in decimal. */
    @Override
    public String toString() {
        return Double.toString(get());
    }

    @Serial
    private Object writeReplace() {
        return new Serialized(get(), identity, function);
    }

    @Serial
    private void readObject(ObjectInputStream stream) throws InvalidObjectException {
        throw new InvalidObjectException(getClass().getName() + " is deserialized from its proxy only: the stream is"
                + " not one that it was serialized to");
    }

    /** What goes into a stream. */
    @SuppressWarnings("serial") // the function is as serializable as its author made it
    private record Serialized(double value, double identity, DoubleBinaryOperator function) implements Serializable {
        @Serial
        private Object readResolve() {
            PerCpuDoubleAccumulator accumulator = new PerCpuDoubleAccumulator(function, identity);
            accumulator.accumulate(value);
            return accumulator;
        }
    }
}

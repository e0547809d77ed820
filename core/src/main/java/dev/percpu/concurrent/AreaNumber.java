package dev.percpu.concurrent;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.protocol.Numbers;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.Serial;
import java.util.Arrays;

/**
 * What the counters and accumulators have in common: a piece of each CPU's place, which is given back once the object
 * is unreachable. The first number of a piece is the CPU's own. The same number in the spare place is the spare slot.
 * Any thread may update that, by atomic instructions only. The value of such an object is a {@code long}, unless a
 * subclass says otherwise.
 *
 * <p>A piece belongs to one object, so deserialization must not make another object that has it. As Number is
 * serializable, subclasses write a proxy instead.
 */
abstract class AreaNumber extends Number {
    @Serial
    private static final long serialVersionUID = 1;

    /**
     * An int, so that a counter has 16 bytes with its header. It is final, so that every thread sees it set. A thread
     * that saw 0 would write into the header of the CPU's place.
     */
    private final transient int position;

    AreaNumber(String label, int bytes, long alignment) {
        position = Area.allocateFor(this, bytes, alignment, label);
    }

    /**
     * Where the piece lies in each CPU's place. A caller that computes with it must keep this object reachable
     * until then.
     */
    final long position() {
        return position;
    }

    /** The number of a CPU, or for {@link Area#SPARE} that in the spare slot: opaque. */
    final long read(int cpu) {
        return Numbers.readIn(cpu, position());
    }

    /** The numbers of all CPUs, indexed by CPU id. The caller must keep this object reachable until it has them. */
    final long[] readAll() {
        long[] numbers = new long[Area.CPUS];
        Arrays.setAll(numbers, this::read);
        return numbers;
    }

    /** {@link #longValue()}, cut to 32 bits. */
    @Override
    public int intValue() {
        return (int) longValue();
    }

    /** {@link #longValue()}, rounded. */
    @Override
    public float floatValue() {
        return (float) longValue();
    }

    /** {@link #longValue()}, rounded. */
    @Override
    public double doubleValue() {
        return (double) longValue();
    }

    /** {@link #longValue()} in decimal. */
    @Override
    public String toString() {
        return Long.toString(longValue());
    }

    @Serial
    private void readObject(ObjectInputStream stream) throws InvalidObjectException {
        throw noProxy();
    }

    @Serial
    private void readObjectNoData() throws InvalidObjectException {
        throw noProxy();
    }

    private InvalidObjectException noProxy() {
        return new InvalidObjectException(getClass().getName() + " is deserialized from its proxy only: the stream is"
                + " not one that it was serialized to");
    }
}

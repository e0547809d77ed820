package dev.percpu.concurrent;

import dev.percpu.internal.area.Area;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.Serial;
import java.util.Arrays;

/**
 * What the counters and accumulators have in common: a piece of every CPU's place, whose first number is the CPU's own,
 * and which is given back once the object is unreachable. The spare slot, the same number in the
 * spare place, is for every thread, and is updated atomically only. They are numbers whose value is a {@code long},
 * unless a subclass says otherwise.
 *
 * <p>A piece belongs to one object, so none may come into being by deserialization: subclasses write a proxy instead,
 * which Number, being serializable, makes necessary.
 */
abstract class AreaNumber extends Number {
    @Serial
    private static final long serialVersionUID = 1;

    /**
     * An int, so that a counter is 16 bytes with its header. It is final, so that no thread can see it before it is
     * set, which would let it write where the CPU's header is.
     */
    private final transient int position;

    AreaNumber(String owner, int bytes, long alignment) {
        position = Area.allocateFor(this, bytes, alignment, owner);
    }

    /**
     * Where the piece lies in each CPU's place. Who computes with it must keep this object reachable until it is done.
     */
    final long position() {
        return position;
    }

    /** Where the number of a CPU, or for {@link Area#SPARE} the spare slot, lies in the area. */
    final long offset(int cpu) {
        return Area.offset(cpu, position());
    }

    /** The number of a CPU, or that in the spare slot: opaque. */
    final long read(int cpu) {
        return (long) Area.LONG.getOpaque(Area.MEMORY, offset(cpu));
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

package dev.percpu.concurrent;

import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.listing.Values;
import dev.percpu.internal.protocol.GatedSums;
import dev.percpu.listing.Value;
import dev.percpu.memory.AreaFullException;
import java.io.Serial;
import java.io.Serializable;
import java.lang.ref.Reference;
import java.util.List;
import java.util.stream.LongStream;

/**
 * A {@code double} that many threads add to. It has the methods of a {@link java.util.concurrent.atomic.DoubleAdder},
 * and a part of its sum on each CPU.
 *
 * <p>An addition is one restartable sequence, without a lock, an atomic instruction or contention. A hot platform
 * thread gets a place of its own, where an addition needs no native call. The counter takes 16 bytes for each CPU and
 * each such place. It gives its memory back once it is unreachable, so there is no {@code close}.
 *
 * <p><b>Exactness.</b> Each update is in exactly one of the results of {@link #sumThenReset()}, or in the sum that is
 * left, even while threads update and others reset. A reset leaves no rounding error behind: later sums are as precise
 * as those of a new counter. Additions of doubles are rounded and not associative, so sums of the same updates can
 * differ in their last bits. A sum that is read during updates or a reset is not an atomic snapshot.
 *
 * <p>A reset costs a system call that interrupts the other CPUs for a moment. Meanwhile all threads add to one shared
 * number. A hot thread whose addition in its own place has begun before waits until the reset is over.
 *
 * <p><b>Ordering.</b> Updates and sums are opaque, and order nothing else. It serializes as its sum.
 */
public final class PerCpuDoubleCounter extends AreaNumber {
    /*
     * PerCpuCounter resets by subtracting what it has read. With doubles that would not be exact: after a sum of 1e16 a
     * CPU's number swallows every addition of 1, and the difference of two sums is not the sum of what lies between.
     * Values remembered for each CPU have the same flaw, as it is the CPU's number that grows. So the numbers have to
     * become 0, and that takes a gate: see GatedSums. Guarded numbers would do it without a new
     * sequence, but an addition would have to wait, or go elsewhere, whenever anybody holds the CPU's guard for
     * whatever reason.
     */
    @Serial
    private static final long serialVersionUID = 1;

    static {
        // Not in the first update, which may come when the heap is full.
        GatedSums.initialize();
    }

    /** Held to take the numbers away. */
    private final transient Object taking = new Object();

    /**
     * Creates a counter that is 0.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuDoubleCounter() {
        super("a PerCpuDoubleCounter", GatedSums.BYTES, Long.BYTES);
    }

    /**
     * Creates a counter that is 0 and has a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuDoubleCounter(String name) {
        super(Registry.checkName(name), GatedSums.BYTES, Long.BYTES);
        Registry.add(name, "PerCpuDoubleCounter", this, PerCpuDoubleCounter::values);
    }

    /** Adds the given value. */
    public void add(double x) {
        // Neither 0.0 nor -0.0 changes a sum that is not -0.0, and a sum that begins with 0.0 never is.
        if (x == 0) {
            return;
        }
        GatedSums.add(this, position(), x, taking);
    }

    /** The sum of all updates since the last reset; not an atomic snapshot while there are updates or resets. */
    public double sum() {
        try {
            return GatedSums.sum(position());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private List<Value> values() {
        try {
            double[] perCpu = LongStream.of(readAll())
                    .mapToDouble(Double::longBitsToDouble)
                    .toArray();
            return List.of(Values.sum("value", perCpu, GatedSums.elsewhere(position())));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Removes all updates that happened before the call, and perhaps some that happen during it. */
    public void reset() {
        double _ = sumThenReset();
    }

    /** Returns the sum and resets, in one step: exactly the updates in the result are no longer in the counter. */
    public double sumThenReset() {
        try {
            return GatedSums.takeAll(position(), taking);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The {@link #sum()}. */
    @Override
    public double doubleValue() {
        return sum();
    }

    /** The {@link #sum()}, cut to an integer. */
    @Override
    public long longValue() {
        return (long) sum();
    }

    /** The {@link #sum()}, cut to an integer. */
    @Override
    public int intValue() {
        return (int) sum();
    }

    /** The {@link #sum()}, rounded. */
    @Override
    public float floatValue() {
        return (float) sum();
    }

    /** The {@link #sum()} in decimal. */
    @Override
    public String toString() {
        return Double.toString(sum());
    }

    @Serial
    private Object writeReplace() {
        return new Serialized(sum());
    }

    /** What goes into a stream. */
    private record Serialized(double sum) implements Serializable {
        @Serial
        private Object readResolve() {
            PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
            counter.add(sum);
            return counter;
        }
    }
}

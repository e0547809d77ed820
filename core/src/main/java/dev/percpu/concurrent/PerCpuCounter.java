package dev.percpu.concurrent;

import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.listing.Values;
import dev.percpu.internal.protocol.Sums;
import dev.percpu.listing.Value;
import dev.percpu.memory.AreaFullException;
import java.io.Serial;
import java.io.Serializable;
import java.lang.ref.Reference;
import java.util.List;

/**
 * A {@code long} that many threads add to. It has the methods of a {@link java.util.concurrent.atomic.LongAdder}, and a
 * part of its sum on each CPU.
 *
 * <pre>{@code
 * static final PerCpuCounter REQUESTS = new PerCpuCounter("requests");
 *
 * REQUESTS.increment();
 * long total = REQUESTS.sum();
 * }</pre>
 *
 * <p>An addition is one restartable sequence, without a lock, an atomic instruction or contention, however many threads
 * there are. A hot platform thread gets a place of its own, where an addition needs no native call. A counter takes 8
 * bytes for each CPU and each such place. (A {@code LongAdder} under contention grows by 280 bytes for each CPU.)
 * The counter gives its memory back once it is unreachable, so there is no {@code close}.
 *
 * <p><b>Exactness.</b> {@link #sumThenReset()} neither loses an update nor counts one twice, even while threads update
 * the counter and others reset it: each update is in exactly one of the results, or in the sum that is left. ({@code
 * LongAdder} promises this only without concurrent updates.) A sum that is read during updates is not an atomic
 * snapshot: it includes every update that happened before the call, and some of those that happen during it. If a reset
 * happens during the call, the sum may be that before the reset or that after it.
 *
 * <p><b>Ordering.</b> Updates are opaque and order nothing else. A sum is opaque too, as {@code LongAdder}'s is in
 * effect: a program that publishes data through a counter needs a fence of its own. Resets happen one after the other,
 * and each sees what those before it did.
 *
 * <p>Sums wrap around at 64 bits. A counter serializes as its sum.
 *
 * <p>The idea is the kernel's {@code this_cpu_add} on per-CPU counters, the interface {@code java.util.concurrent}'s.
 */
public final class PerCpuCounter extends AreaNumber {
    /*
     * Only a CPU itself writes its number, and only its owner that of an own place. If a reset wrote a zero there, an
     * addition that had loaded the number before could store over it, and all that was reset would come back. So a
     * reset leaves the numbers alone. It subtracts the sum from the spare slot, to which threads without a CPU id add
     * by atomic instructions. The spare slot begins at 0 as the others do. So there is no field for a baseline, and no
     * read of one.
     *
     *   resetting thread R                        a thread U on CPU 1
     *   1. reads CPU 0: 10
     *                                             2. adds 1 to CPU 1: 4 becomes 5
     *   3. reads CPU 1: 5
     *                                             4. adds 1 to CPU 1: 5 becomes 6
     *   5. adds -15 to the spare slot, returns 15
     *
     * The update of 2 is in R's result, that of 4 in the next one: 10 + 6 - 15 = 1. Without a lock, two threads that
     * reset could both read 15, and both subtract it. To compare and set the spare slot instead would notice the other
     * thread, unless a third one had changed the slot back to what it was. The lock is this object's monitor, which
     * takes no more memory than a bit of the header.
     *
     * A sum takes no lock. It reads the spare slot first, with acquire. If it sees what R wrote in 5, it sees at least
     * what R had read in 1 and 3, in all places that R had read. If it read the spare slot last, it could subtract a
     * sum of which it had added only a part, and be below zero.
     */
    @Serial
    private static final long serialVersionUID = 1;

    static {
        // Not in the first update, which may come when the heap is full.
        Sums.initialize();
    }

    /**
     * Creates a counter that is 0.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuCounter() {
        super("a PerCpuCounter", Long.BYTES, Long.BYTES);
    }

    /**
     * Creates a counter that is 0 and has a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuCounter(String name) {
        super(Registry.checkName(name), Long.BYTES, Long.BYTES);
        Registry.add(name, "PerCpuCounter", this, PerCpuCounter::values);
    }

    /** Adds the given value. */
    public void add(long x) {
        Sums.add(this, position(), x);
    }

    /** Adds 1. */
    public void increment() {
        add(1);
    }

    /** Subtracts 1. */
    public void decrement() {
        add(-1);
    }

    /** The sum of all updates since the last reset; not an atomic snapshot while there are updates. */
    public long sum() {
        try {
            return Sums.sum(position());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** For a listing. The spare slot is read first, as {@link #sum()} does. */
    private List<Value> values() {
        try {
            long elsewhere = Sums.elsewhere(position());
            return List.of(Values.sum("value", readAll(), elsewhere));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Removes all updates that happened before the call, and perhaps some that happen during it. */
    public void reset() {
        long _ = sumThenReset();
    }

    /** Returns the sum and resets, in one step: exactly the updates in the result are no longer in the counter. */
    public synchronized long sumThenReset() {
        long sum = sum();
        Sums.subtract(this, position(), sum);
        return sum;
    }

    /** The {@link #sum()}. */
    @Override
    public long longValue() {
        return sum();
    }

    @Serial
    private Object writeReplace() {
        return new Serialized(sum());
    }

    /** What goes into a stream. */
    private record Serialized(long sum) implements Serializable {
        @Serial
        private Object readResolve() {
            PerCpuCounter counter = new PerCpuCounter();
            counter.add(sum);
            return counter;
        }
    }
}

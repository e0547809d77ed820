package dev.percpu.concurrent;

import dev.percpu.internal.Registry;
import dev.percpu.internal.protocol.Sums;
import dev.percpu.listing.Value;
import dev.percpu.memory.AreaFullException;
import java.io.Serial;
import java.io.Serializable;
import java.lang.ref.Reference;
import java.util.List;

/**
 * A {@code long} that many threads add to: a {@link java.util.concurrent.atomic.LongAdder}, method for method, of which
 * every CPU has its own part.
 *
 * <p>An addition is one restartable sequence, without a lock, an atomic instruction or contention, however many threads
 * there are. A hot platform thread gets a place of its own, where an addition needs no native call. The counter takes 8
 * bytes for each CPU and each such place, where an adder under contention grows by cells of two cache lines each. The
 * memory is given back once the counter is unreachable. There is nothing to close.
 *
 * <p><b>Exactness.</b> {@link #sumThenReset()} neither loses an update nor counts one twice, also while threads update
 * and while others call it too: each update is in exactly one of the results, or in the sum that is left. (That of
 * {@code LongAdder} promises this only without concurrent updates.) A sum that is taken meanwhile is not an atomic
 * snapshot: it holds every update that happened before the call, and some of those that happen during it; of a reset
 * that happens during it, it may see the counter before or after.
 *
 * <p><b>Ordering.</b> Updates are opaque and order nothing else. A sum is opaque too, as {@code LongAdder}'s is in
 * effect: to publish data by a counter takes a fence. Resets happen one after the other, each after what the one before
 * it did.
 *
 * <p>Sums wrap around at 64 bits. It serializes as its sum.
 *
 * <p>The idea is the kernel's {@code this_cpu_add} on per-CPU counters, the interface {@code java.util.concurrent}'s.
 */
public final class PerCpuCounter extends AreaNumber {
    /*
     * A CPU's number is written by that CPU only, and that of an own place by its owner only: a zero from elsewhere
     * could be lost under the store of an addition that had loaded the number before it, and all that was reset would
     * come back. So a reset leaves the numbers alone, and takes the sum away somewhere else: from the spare slot, which
     * threads without a CPU id add to, atomically. It begins at 0 like the others, and is what the sum has to be
     * corrected by. So there is no field for a baseline, and no look at one.
     *
     *   resetting thread R                        a thread U on CPU 1
     *   1. reads CPU 0: 10
     *                                             2. adds 1 to CPU 1: 4 becomes 5
     *   3. reads CPU 1: 5
     *                                             4. adds 1 to CPU 1: 5 becomes 6
     *   5. adds -15 to the spare slot, returns 15
     *
     * The update of 2 is in R's result, that of 4 in the next one: 10 + 6 - 15 = 1. With two that reset, both could
     * read the same 15 and both take it away; hence the lock. Comparing and setting the spare slot instead would notice
     * the other one, unless a third party had brought it back to what it was. The lock is this object's monitor; a
     * header bit is all that it costs.
     *
     * A sum takes no lock. It reads the spare slot first, with acquire: seeing what R wrote in 5, it sees at least what
     * R had read in 1 and 3, in all places that R had read. Read last, it could take away a sum that it has only added
     * a part of, and be below zero.
     */
    @Serial
    private static final long serialVersionUID = 1;

    /**
     * Makes a counter that is 0.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuCounter() {
        super("a PerCpuCounter", Long.BYTES, Long.BYTES);
    }

    /**
     * Makes a counter that is 0 and has a name.
     *
     * @param name for messages and listings; it need not be unique
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuCounter(String name) {
        super(Registry.checkName(name), Long.BYTES, Long.BYTES);
        Registry.add(name, "PerCpuCounter", this, PerCpuCounter::values);
    }

    /** Adds the given value. */
    public void add(long x) {
        try {
            Sums.add(position(), x);
        } finally {
            // Not before here may the memory be given to another counter.
            Reference.reachabilityFence(this);
        }
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
            return List.of(Value.sum("value", readAll(), elsewhere));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Takes all updates away that happened before the call, and perhaps some that happen during it. */
    public void reset() {
        long _ = sumThenReset();
    }

    /** Takes the sum and resets, in one: what is in the result, and nothing else, is no longer in the counter. */
    public synchronized long sumThenReset() {
        long sum = sum();
        // Zero is not added, as that would make a page.
        if (sum != 0) {
            try {
                Sums.addToSpare(position(), -sum);
            } finally {
                Reference.reachabilityFence(this);
            }
        }
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

package dev.percpu.concurrent;

import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.listing.Values;
import dev.percpu.internal.protocol.StackRoom;
import dev.percpu.listing.Value;
import dev.percpu.memory.AreaFullException;
import java.lang.ref.Reference;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * Count, sum, minimum and maximum of the {@code long} values that many threads record: a {@link
 * java.util.LongSummaryStatistics} that threads can share, with a part on each CPU.
 *
 * <pre>{@code
 * static final PerCpuSummary SIZES = new PerCpuSummary("sizes");
 *
 * SIZES.accept(message.length());
 * PerCpuSummary.Result lastMinute = SIZES.summaryThenReset();
 * }</pre>
 *
 * <p>Recording takes no lock, allocates nothing and never waits, except for the update with which a hot thread tries to
 * get a place of its own: see {@link PerCpuHistogram}. It costs at most one native call, except for a value
 * that is less or greater than most before it. It takes 32 bytes for each CPU and for each hot thread. The memory is
 * given back once the summary is unreachable. There is nothing to close.
 *
 * <p><b>Exactness.</b> Each value is counted in exactly one result of {@link #summaryThenReset()} or in what is left,
 * even while threads record and others reset. The same holds for the sum, the minimum and the maximum. But
 * these are four numbers, which are updated and read one after the other. So while threads record, a value can be in
 * one number of a result and not in another; then the next result has it there.
 *
 * <p><b>Errors.</b> If an error such as {@link StackOverflowError} interrupts {@link #accept}, both count and sum have
 * the value, or neither has. It can be the minimum or the maximum without being counted.
 *
 * <p><b>Ordering.</b> Recording and reading are opaque, and order nothing else. Count and sum wrap at 64 bits.
 */
public final class PerCpuSummary implements LongConsumer {
    private static final int COUNT = 0;
    private static final int SUM = 1;

    private final String name;
    final PerCpuCounterArray counts;
    private final PerCpuAccumulator least;
    private final PerCpuAccumulator greatest;

    /**
     * Creates a summary of no values.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuSummary() {
        this(new Label("a PerCpuSummary"));
    }

    /**
     * Creates a summary of no values, and gives it a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuSummary(String name) {
        this(Label.named(name));
        Registry.add(name, "PerCpuSummary", this, PerCpuSummary::values);
    }

    private PerCpuSummary(Label label) {
        this.name = label.text();
        this.counts = new PerCpuCounterArray(label, 2);
        this.least = new PerCpuAccumulator(label, Extreme.LEAST, Extreme.LEAST.identity);
        this.greatest = new PerCpuAccumulator(label, Extreme.GREATEST, Extreme.GREATEST.identity);
    }

    /**
     * The count, the sum, the minimum and the maximum of the values that were recorded.
     *
     * @param count how many values
     * @param sum of the values, wrapped at 64 bits
     * @param min the least value; {@link Long#MAX_VALUE} if there is none
     * @param max the greatest value; {@link Long#MIN_VALUE} if there is none
     */
    public record Result(long count, long sum, long min, long max) {
        /** The sum divided by the count; 0 if there are no values, as in {@code LongSummaryStatistics}. */
        public double mean() {
            return count == 0 ? 0 : (double) sum / count;
        }
    }

    /** Records a value. */
    @Override
    @SuppressWarnings("ReachabilityFenceUsage") // an update that throws makes no store after that
    public void accept(long value) {
        // Mostly the accumulators are done with a read. They come first, so that a reader finds no count without them,
        // even if the stack overflows in between. (To make sure of room on the stack would cost each value a
        // native call.)
        if (OwnPlaces.hasMine()) {
            long own = OwnPlaces.mine();
            least.accumulateIn(own, value, Extreme.LEAST);
            greatest.accumulateIn(own, value, Extreme.GREATEST);
        } else {
            least.accumulate(value);
            greatest.accumulate(value);
        }
        counts.add(COUNT, 1, SUM, value);
        Reference.reachabilityFence(this);
    }

    /** What was recorded since the last reset; not an atomic snapshot while threads record. */
    public Result summary() {
        long[] sums = counts.sums();
        return new Result(sums[COUNT], sums[SUM], least.get(), greatest.get());
    }

    /** Removes all values that were recorded before the call, and perhaps some that are recorded during it. */
    public void reset() {
        Result _ = summaryThenReset();
    }

    /**
     * Returns what was recorded and resets, in one step. It costs two system calls, which interrupt the other CPUs for
     * a moment.
     */
    public synchronized Result summaryThenReset() {
        // What puts the extremes back after an error needs room on the stack.
        StackRoom.CURRENT.ensure();
        long taken = Long.MAX_VALUE;
        long alsoTaken = Long.MIN_VALUE;
        boolean complete = false;
        try {
            taken = least.getThenReset();
            alsoTaken = greatest.getThenReset();
            // Only this method resets them. So what it subtracts is what is in the result, which is allocated before.
            long[] sums = counts.sums();
            Result result = new Result(sums[COUNT], sums[SUM], taken, alsoTaken);
            counts.subtract(COUNT, sums[COUNT]);
            // From here on nothing can fail: this needs no more stack than the line above.
            counts.subtract(SUM, sums[SUM]);
            complete = true;
            return result;
        } finally {
            if (!complete) {
                // What was taken by then is put back, and is as before: an identity changes nothing.
                least.accumulate(taken);
                greatest.accumulate(alsoTaken);
            }
        }
    }

    private List<Value> values() {
        Result now = summary();
        return List.of(
                Values.sum("count", now.count()),
                Values.sum("sum", now.sum()),
                Values.of("min", now.min()),
                Values.of("max", now.max()));
    }

    @Override
    public String toString() {
        return name + ": " + summary();
    }
}

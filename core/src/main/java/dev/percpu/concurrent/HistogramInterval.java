package dev.percpu.concurrent;

/**
 * One reader's view of a {@link PerCpuHistogram}: what was recorded since this reader asked last. Readers do not
 * disturb each other, nor {@link PerCpuHistogram#snapshotThenReset()}: each sees every recorded value exactly once.
 *
 * <pre>{@code
 * HistogramInterval everyMinute = LATENCY.interval();
 * HistogramInterval scraped = LATENCY.interval();
 *
 * long slow = everyMinute.next().quantile(0.99);     // of the last minute
 * long count = scraped.peek().count();               // of all time since it was made: never goes backwards
 * }</pre>
 *
 * <p>Several threads may use one interval; they wait for each other, and nobody who records waits. Its methods throw
 * {@link IllegalStateException} if the histogram is closed. It keeps its histogram reachable, and one number for each
 * bucket on the heap.
 */
public final class HistogramInterval {
    private final PerCpuHistogram histogram;

    /** Guards {@link #reported}. */
    private final Object lock = new Object();

    /** The totals of all words that were in results of {@link #next()}; empty if they are all 0. */
    private long[] reported;

    /** @param reported it is kept, not copied */
    HistogramInterval(PerCpuHistogram histogram, long[] reported) {
        this.histogram = histogram;
        this.reported = reported;
    }

    /**
     * What was recorded since the last call, or since the interval was made. Each recorded value is in the result of
     * exactly one call.
     */
    public HistogramSnapshot next() {
        synchronized (lock) {
            long[] totals = histogram.totals();
            HistogramSnapshot result = histogram.since(reported, totals);
            reported = totals;
            return result;
        }
    }

    /**
     * What {@link #next()} would return, which is left to it. As long as nobody calls that, no count in a later result
     * is less than in an earlier one.
     */
    public HistogramSnapshot peek() {
        // With the lock: a next() between the two looks would have the same values counted here and there.
        synchronized (lock) {
            return histogram.since(reported, histogram.totals());
        }
    }

    @Override
    public String toString() {
        return "an interval of " + histogram;
    }
}

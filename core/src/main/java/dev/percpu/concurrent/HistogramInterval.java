package dev.percpu.concurrent;

import org.jspecify.annotations.Nullable;

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

    /** What was in results of {@link #next()}, or recorded before the interval was made; null if nothing. */
    private @Nullable HistogramSnapshot reported;

    HistogramInterval(PerCpuHistogram histogram, @Nullable HistogramSnapshot reported) {
        this.histogram = histogram;
        this.reported = reported;
    }

    /**
     * What was recorded since the last call, or since the interval was made. Each recorded value is in the result of
     * exactly one call.
     */
    public HistogramSnapshot next() {
        synchronized (lock) {
            HistogramSnapshot total = histogram.total();
            HistogramSnapshot result = sinceReported(total);
            reported = total;
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
            return sinceReported(histogram.total());
        }
    }

    private HistogramSnapshot sinceReported(HistogramSnapshot total) {
        return reported == null ? total : total.since(reported);
    }

    @Override
    public String toString() {
        return "an interval of " + histogram;
    }
}

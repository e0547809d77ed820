package dev.percpu.concurrent;

import org.jspecify.annotations.Nullable;

/**
 * One reader of a {@link PerCpuHistogram}: it reports what was recorded since the last report. Readers do not affect
 * each other, nor {@link PerCpuHistogram#snapshotThenReset()}: each of them reports every recorded value exactly once.
 *
 * <pre>{@code
 * HistogramReader everyMinute = LATENCY.reader();
 * HistogramReader scraped = LATENCY.reader();
 *
 * long slow = everyMinute.next().quantile(0.99);     // of the last minute
 * long count = scraped.peek().count();               // since the reader was made: never goes backwards
 * }</pre>
 *
 * <p>Several threads may use one reader. They wait for each other; threads that record never wait. A reader keeps its
 * histogram reachable, and keeps one number for each bucket on the heap.
 */
public final class HistogramReader {
    private final PerCpuHistogram histogram;

    /** Guards {@link #reported}. */
    private final Object lock = new Object();

    /** What {@link #next()} has returned so far, and what was recorded before this was made; null if nothing. */
    private @Nullable HistogramSnapshot reported;

    HistogramReader(PerCpuHistogram histogram, @Nullable HistogramSnapshot reported) {
        this.histogram = histogram;
        this.reported = reported;
    }

    /**
     * Returns what was recorded since the last call, or since the reader was made. Each recorded value is in the
     * result of exactly one call.
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
     * Returns what {@link #next()} would return, and leaves it for the next call. As long as no thread calls {@code
     * next()}, counts only grow from one result to the next.
     */
    public HistogramSnapshot peek() {
        // Under the lock: if next() ran between the two reads, it would report values that are in this result too.
        synchronized (lock) {
            return sinceReported(histogram.total());
        }
    }

    private HistogramSnapshot sinceReported(HistogramSnapshot total) {
        return reported == null ? total : total.since(reported);
    }

    @Override
    public String toString() {
        return "a reader of " + histogram;
    }
}

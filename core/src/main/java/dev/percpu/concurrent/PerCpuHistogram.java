package dev.percpu.concurrent;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.listing.Values;
import dev.percpu.internal.protocol.AdjacentNumbers;
import dev.percpu.internal.protocol.Sums;
import dev.percpu.listing.Value;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;

/**
 * Counts how often values of each size were recorded, such as latencies. Recording takes no lock, uses no atomic
 * instruction, allocates nothing, never waits, and costs the same however many threads record. There is one exception:
 * the update with which a hot platform thread tries to get a place of its own allocates a small object, and may wait
 * for a thread that allocates or frees variables.
 *
 * <pre>{@code
 * static final PerCpuHistogram LATENCY = PerCpuHistogram.builder()
 *         .relativeError(0.01)
 *         .highestTrackable(TimeUnit.HOURS.toNanos(1))
 *         .build();
 *
 * LATENCY.record(System.nanoTime() - start);
 * long slow = LATENCY.snapshot().quantile(0.99);
 * }</pre>
 *
 * <p><b>Values.</b> A value is any {@code long}, in a unit that you choose. From 0 to {@link #highestTrackable()} the
 * buckets are as narrow as the builder's precision requires. One more bucket counts all values above that, and another
 * one all negative values. The sum includes these values too. Instead, you can set the {@linkplain
 * HistogramBuilder#bounds bounds} of the buckets yourself.
 *
 * <p><b>Exactness.</b> Each recorded value is counted once, on the CPU that the thread runs on or in the own place of
 * a hot thread, even if the thread is preempted, moved or signalled meanwhile. Counts and the sum wrap at 64 bits: a
 * sum of nanoseconds does so after 292 years.
 *
 * <p><b>Ordering.</b> Recording is opaque, and orders nothing else. A snapshot holds every value whose recording
 * happened before the snapshot was taken, and some of the values that are recorded during it. Its count is always the
 * sum of its buckets. Its sum is read separately. So while a value is being recorded, it can be in the count and not
 * yet in the sum, or the other way round.
 *
 * <p><b>Memory.</b> A histogram takes {@link #bytesPerCpu()} of address space for each CPU, and as much in the own
 * place of each hot platform thread. A page that no value falls into is never touched. The memory comes back once the
 * histogram is unreachable. There is nothing to close.
 *
 * <p>By default the buckets are those of Gil Tene's HdrHistogram, except that the precision is a power of two instead
 * of a power of ten. Bounds of your own work like those of Prometheus' classic histogram.
 */
public final class PerCpuHistogram {
    /*
     * Each CPU's place holds one word for the sum and one for each bucket, side by side. Recording is one call that
     * makes two additions, in two restartable sections: to the bucket, then to the sum. There is no word for the total
     * count: it would take one more addition, and could disagree with the buckets.
     *
     * Refused: both additions in one section. If the kernel aborted the section between the two stores, it would start
     * over and apply the first addition twice.
     *
     * Refused: resetting by writing 0. Only a CPU's own threads write its words, and they do so without a lock:
     *
     *   recording thread on the CPU        thread that resets
     *   1. load: 5
     *                                      2. load: 5, reports 5
     *                                      3. store: 0
     *   4. store: 6                                             -> the first 5 are reported again
     *
     * So a reset writes nothing in the area. It remembers what it has reported.
     */
    static {
        // Not in the first update, which may come when the heap is full.
        Sums.initialize();
        Sums.initializePairs();
    }

    private static final int FIRST_BUCKET = 1;

    private final String name;
    private final BucketLayout layout;

    /** The position of the sum; the buckets lie behind it. */
    private final long position;

    /** What {@link #snapshotThenReset()} has reported. */
    private final HistogramReader sinceReset;

    PerCpuHistogram(String name, BucketLayout layout) {
        this.name = name;
        this.layout = layout;
        this.sinceReset = new HistogramReader(this, null);
        this.position = Area.allocateFor(this, bytesPerCpu(), Long.BYTES, name + " of " + layout);
    }

    PerCpuHistogram listed(String listedName) {
        Registry.add(listedName, "PerCpuHistogram", this, PerCpuHistogram::values);
        return this;
    }

    /** Starts a histogram: the builder sets its precision and range, or its bounds. */
    public static HistogramBuilder builder() {
        return new HistogramBuilder();
    }

    /** Records a value once. */
    public void record(long value) {
        Sums.addTwo(this, position + bytesBefore(layout.indexOf(value)), 1, position, value);
    }

    /**
     * Records a value {@code count} times, as fast as once.
     *
     * @throws IllegalArgumentException if the count is negative: what was recorded cannot be taken back
     */
    public void record(long value, long count) {
        if (count < 0) {
            throw new IllegalArgumentException(
                    name + ": the count of the value " + value + " must be at least 0, not " + count);
        }
        if (count != 0) {
            Sums.addTwo(this, position + bytesBefore(layout.indexOf(value)), count, position, value * count);
        }
    }

    /** Returns what was recorded since the last {@link #snapshotThenReset()}, or since the histogram was made. */
    public HistogramSnapshot snapshot() {
        return sinceReset.peek();
    }

    /**
     * Returns what was recorded since the last call or {@link #reset()}, or since the histogram was made. Each recorded
     * value is in the result of exactly one call, unless a reset removed it. If several threads call at the same time,
     * they wait for each other. Threads that record never wait.
     */
    public HistogramSnapshot snapshotThenReset() {
        return sinceReset.next();
    }

    /**
     * Removes what {@link #snapshot()} would return. Readers still report it. This costs as much as {@link
     * #snapshotThenReset()}.
     */
    public void reset() {
        HistogramSnapshot _ = snapshotThenReset();
    }

    /**
     * Returns a new reader. It reports what was recorded since it was made, or since it was asked last, whatever other
     * readers and {@link #snapshotThenReset()} have taken.
     */
    public HistogramReader reader() {
        return new HistogramReader(this, total());
    }

    /** The greatest value in range: what the builder was given, rounded up to the end of its bucket. */
    public long highestTrackable() {
        return layout.highestTrackable();
    }

    /**
     * How wide a bucket is at most, relative to its lowest value. The narrowest buckets are not counted in this. With
     * {@linkplain #bounds() bounds} of your own it is infinite, since the first bucket has no lower end.
     */
    public double relativeError() {
        return layout.relativeError();
    }

    /**
     * The upper bounds that the histogram was built with: see {@link HistogramBuilder#bounds}. If its buckets divide
     * powers of two, the array is empty.
     */
    public long[] bounds() {
        return layout.bounds();
    }

    /**
     * The bytes of address space that the histogram takes for each CPU. A page gets memory once a value falls into it.
     */
    public long bytesPerCpu() {
        return bytesBefore(layout.size());
    }

    @Override
    public String toString() {
        return name + ": " + layout;
    }

    /** Everything that was ever recorded. */
    HistogramSnapshot total() {
        try {
            long[] counts = AdjacentNumbers.sums(bucketsPosition(), layout.size());
            return new HistogramSnapshot(layout, counts, Sums.sum(position));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** For a listing: everything that was ever recorded, whatever was reset. */
    private List<Value> values() {
        try {
            long[] sums = AdjacentNumbers.totals(position, 1);
            long[] counts = AdjacentNumbers.totals(bucketsPosition(), layout.size());
            HistogramSnapshot ever = total();
            List<Value> values = new ArrayList<>();
            values.add(Values.sum("count", counts));
            values.add(Values.sum("sum", sums));
            if (!ever.isEmpty() && !ever.isWrapped()) {
                long[] quantiles = ever.quantiles(0.5, 0.9, 0.99);
                values.add(Values.of("p50", quantiles[0]));
                values.add(Values.of("p90", quantiles[1]));
                values.add(Values.of("p99", quantiles[2]));
                values.add(Values.of("max", ever.max()));
            }
            return values;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Which bucket a value is counted in. */
    int bucketOf(long value) {
        return layout.indexOf(value);
    }

    /** The position of the sum. */
    long sumPosition() {
        return position;
    }

    /** The position of the first bucket. */
    long bucketsPosition() {
        return position + bytesBefore(0);
    }

    /** How far behind the sum a bucket lies. */
    private static long bytesBefore(int index) {
        return (long) (FIRST_BUCKET + index) * Long.BYTES;
    }
}

package dev.percpu.concurrent;

import dev.percpu.internal.Registry;
import dev.percpu.internal.area.AdjacentNumbers;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.protocol.Sums;
import dev.percpu.listing.Value;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Counts how often values of each size were recorded: latencies, sizes. Recording takes no lock and no atomic
 * instruction, allocates nothing, never waits, and costs the same however many threads record.
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
 * <p><b>Values.</b> Any {@code long}, in whatever unit. Those from 0 to {@link #highestTrackable()} are told apart with
 * the precision that was asked for. All values above are counted in one bucket, all negative ones in another: none is
 * lost, and the sum holds each as it is. Instead, a user can give the {@linkplain HistogramBuilder#bounds bounds} of
 * the buckets.
 *
 * <p><b>Exactness.</b> Each recorded value is counted once, on the CPU that the thread runs on, however the thread is
 * preempted, moved or signalled. Counts and the sum wrap at 64 bits: a sum of nanoseconds does so after 292 years.
 *
 * <p><b>Ordering.</b> Recording is opaque, and orders nothing else. A snapshot holds everything whose recording
 * happened before it, and some of what is recorded during it; its count is always that of its buckets. Its sum is
 * another number, read at another moment: it can hold a value that is not counted yet, and the other way round.
 *
 * <p><b>Memory.</b> {@link #bytesPerCpu()} for each CPU and each hot platform thread's own place, of which pages that
 * no value falls into are never touched. A histogram that becomes unreachable gives it back by itself, closed or not.
 *
 * <p>Recording and snapshots throw {@link IllegalStateException} if the histogram is closed.
 *
 * <p>The buckets are those of Gil Tene's HdrHistogram, with a power of two of them instead of a power of ten, or those
 * of Prometheus' classic histogram.
 */
public final class PerCpuHistogram implements AutoCloseable {
    /*
     * One word for the sum and one for each bucket, side by side in each CPU's place. Recording is one call that adds
     * to two of them, in two restartable sections: the bucket's, then the sum's. There is no word for the total count:
     * it would be one more addition, and could disagree with the buckets.
     *
     * Refused: both additions in one section. A section commits with its last instruction; an abort between two stores
     * starts it over, and the first addition is done twice.
     *
     * Refused: resetting by writing 0. Only a CPU's own threads write its words, and they do it without a lock:
     *
     *   recording thread on the CPU        thread that resets
     *   1. load: 5
     *                                      2. load: 5, reports 5
     *                                      3. store: 0
     *   4. store: 6                                             -> the first 5 are reported again
     *
     * So a reset remembers what it has reported, and nothing in the area changes.
     */
    /** Nothing lies at 0, where the header is; and 0 is what an unsafely published object could show. */
    private static final long CLOSED = 0;

    private static final int FIRST_BUCKET = 1;

    private final String name;
    private final Buckets buckets;

    /** The sum's place in the area; the buckets' are behind it. */
    private long position;

    /** What {@link #snapshotThenReset()} has reported. */
    private final HistogramInterval sinceReset;

    PerCpuHistogram(@Nullable String name, Buckets buckets) {
        this.name = name == null ? "a per-CPU histogram" : name;
        this.buckets = buckets;
        this.sinceReset = new HistogramInterval(this, null);
        this.position = Area.allocateFor(this, bytesPerCpu(), Long.BYTES, this.name + " of " + buckets);
    }

    /** What a histogram is made with: its precision and its range. */
    public static HistogramBuilder builder() {
        return new HistogramBuilder();
    }

    /** Records a value once. */
    public void record(long value) {
        try {
            long sum = position();
            Sums.addTwo(sum + bytesBefore(buckets.indexOf(value)), 1, sum, value);
        } finally {
            // Not before here may the place be given to somebody else.
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Records a value so many times, as fast as once.
     *
     * @throws IllegalArgumentException if the count is negative: what is recorded cannot be taken back
     */
    public void record(long value, long count) {
        if (count < 0) {
            throw new IllegalArgumentException("the value " + value + " cannot be recorded " + count
                    + " times: what is recorded cannot be taken back");
        }
        try {
            long sum = position();
            if (count != 0) {
                Sums.addTwo(sum + bytesBefore(buckets.indexOf(value)), count, sum, value * count);
            }
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** What was recorded since the last {@link #snapshotThenReset()}, or ever if there was none. */
    public HistogramSnapshot snapshot() {
        return sinceReset.peek();
    }

    /**
     * What was recorded since the last call, or ever if there was none. Each recorded value is in the result of exactly
     * one call, also if several threads call at the same time: they wait for each other, and nobody who records waits.
     */
    public HistogramSnapshot snapshotThenReset() {
        return sinceReset.next();
    }

    /**
     * A reader of its own: what was recorded since it was made, or since it was asked last, whatever other readers and
     * {@link #snapshotThenReset()} have taken.
     */
    public HistogramInterval interval() {
        return new HistogramInterval(this, total());
    }

    /** The greatest value that is not counted as out of range; at least what was asked for. */
    public long highestTrackable() {
        return buckets.highestTrackable();
    }

    /**
     * How wide a bucket is at most, relative to its lowest value, if it is wider than the narrowest ones. It is
     * infinite with given {@link #bounds() bounds}, as there the first bucket has no lower end.
     */
    public double relativeError() {
        return buckets.relativeError();
    }

    /**
     * The upper bounds that the histogram was built with: see {@link HistogramBuilder#bounds}; empty if its buckets
     * divide powers of two.
     */
    public long[] bounds() {
        return buckets.bounds();
    }

    /**
     * The bytes of address space that the histogram takes for each CPU. Memory it takes by the page, as values come.
     */
    public long bytesPerCpu() {
        return bytesBefore(buckets.size());
    }

    /** Ends it. The memory comes back when nobody can reach the histogram any more. */
    @Override
    public void close() {
        position = CLOSED;
        Registry.remove(this);
    }

    @Override
    public String toString() {
        return position == CLOSED ? name + ", closed" : name + ": " + buckets;
    }

    /** All that was ever recorded. */
    HistogramSnapshot total() {
        try {
            long position = position();
            long[] counts = AdjacentNumbers.sums(position + bytesBefore(0), buckets.size());
            return new HistogramSnapshot(buckets, counts, Sums.sum(position));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** For a listing: all that was ever recorded, whatever was reset. */
    List<Value> values() {
        try {
            long position = position();
            long[] inBuckets = new long[buckets.size()];
            long[] counts = new long[Area.CPUS + 1];
            long[] sums = new long[Area.CPUS + 1];
            int places = Area.places();
            for (int place = 0; place < places; place++) {
                // What threads have recorded in places of their own lies on no CPU, as what is in the spare place.
                int part = Math.min(place, Area.SPARE);
                sums[part] += AdjacentNumbers.read(place, position, 1)[0];
                long[] inPlace = AdjacentNumbers.read(place, position + bytesBefore(0), inBuckets.length);
                for (int index = 0; index < inPlace.length; index++) {
                    inBuckets[index] += inPlace[index];
                    counts[part] += inPlace[index];
                }
            }
            HistogramSnapshot ever = new HistogramSnapshot(
                    buckets, inBuckets, LongStream.of(sums).sum());
            List<Value> values = new ArrayList<>();
            values.add(Value.sum("count", Arrays.copyOf(counts, Area.CPUS), counts[Area.SPARE]));
            values.add(Value.sum("sum", Arrays.copyOf(sums, Area.CPUS), sums[Area.SPARE]));
            if (!ever.isEmpty()) {
                long[] quantiles = ever.quantiles(0.5, 0.9, 0.99);
                values.add(Value.of("p50", quantiles[0]));
                values.add(Value.of("p90", quantiles[1]));
                values.add(Value.of("p99", quantiles[2]));
                values.add(Value.of("max", ever.max()));
            }
            return values;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Which bucket a value is counted in. */
    int bucketOf(long value) {
        long _ = position();
        return buckets.indexOf(value);
    }

    /** Where the sum lies. */
    long sumPosition() {
        return position();
    }

    /** Where the first bucket lies. */
    long bucketsPosition() {
        return position() + bytesBefore(0);
    }

    private long position() {
        long current = position;
        if (current == CLOSED) {
            throw new IllegalStateException(name + " is closed: record into one that is open");
        }
        return current;
    }

    /** How far behind the sum a bucket lies. */
    private static long bytesBefore(int index) {
        return (long) (FIRST_BUCKET + index) * Long.BYTES;
    }
}

package dev.percpu.concurrent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * What a {@link PerCpuHistogram} had counted at some time. A snapshot does not change.
 *
 * <p>The count is always the sum of the buckets. A snapshot knows each value's bucket, but not the value. If the
 * histogram was built with {@linkplain #bounds() bounds}, a bucket has the values between two of them. Otherwise two
 * values in a bucket differ by less than {@link #unit()}, or by no more than {@link #relativeError()} of the lower one.
 * If the unit is 1, values below {@code 2 / relativeError()} are known exactly.
 */
public final class HistogramSnapshot {
    private final BucketLayout layout;
    private final long[] counts;
    private final long count;
    private final long sum;

    /** Whether more values were counted than fit a {@code long}. */
    private final boolean wrapped;

    /** @param counts by bucket; the array is kept, not copied */
    HistogramSnapshot(BucketLayout layout, long[] counts, long sum) {
        this.layout = layout;
        this.counts = counts;
        this.sum = sum;
        long total = 0;
        boolean beyond = false;
        for (long inBucket : counts) {
            total += inBucket;
            beyond |= inBucket < 0 || total < 0;
        }
        this.count = total;
        this.wrapped = beyond;
    }

    /**
     * A range of values that were counted together.
     *
     * @param lowest the least value of the range
     * @param highest the greatest value of the range (inclusive)
     * @param count how many were recorded, at least 1
     */
    public record Bucket(long lowest, long highest, long count) {}

    /** How many values were recorded: the sum of all buckets' counts. */
    public long count() {
        return count;
    }

    /** Whether no values were recorded. */
    public boolean isEmpty() {
        return count == 0;
    }

    /**
     * How many values below the range were recorded. These are the negative values. If the histogram was built with
     * {@linkplain #bounds() bounds}, there are none: its first bucket has no lower end.
     */
    public long underflow() {
        return layout.below() == 0 ? 0 : counts[0];
    }

    /** How many values above {@link #highestTrackable()} were recorded. */
    public long overflow() {
        return counts[layout.overflow()];
    }

    /**
     * The exact sum of the values, including those out of range. It wraps around at 64 bits. If values were being
     * recorded while the snapshot was taken, the sum and the buckets can differ by those values.
     */
    public long sum() {
        return sum;
    }

    /**
     * The sum divided by the count; 0 if there are no values, as in {@code LongSummaryStatistics} and {@link
     * PerCpuSummary.Result}. With NaN, one interval without values would make the average of many intervals NaN.
     */
    public double mean() {
        return isEmpty() ? 0 : (double) sum / count;
    }

    /**
     * The least value of the bucket that the least recorded value is in. For the first bucket this is {@link
     * Long#MIN_VALUE}: that bucket has all negative values or, if the histogram was built with {@linkplain #bounds()
     * bounds}, all values up to the first bound.
     *
     * @throws NoSuchElementException if there are no values
     */
    public long min() {
        checkNotEmpty();
        int index = 0;
        while (counts[index] == 0) {
            index++;
        }
        return layout.lowest(index);
    }

    /**
     * The greatest value of the bucket that the greatest recorded value is in. If that value is above the range, this
     * is {@link Long#MAX_VALUE}.
     *
     * @throws NoSuchElementException if there are no values
     */
    public long max() {
        checkNotEmpty();
        int index = layout.overflow();
        while (counts[index] == 0) {
            index--;
        }
        return layout.highest(index);
    }

    /**
     * The value that the given share of the recorded values does not exceed: 0.5 for the median, 0.99 for the
     * 99th percentile.
     *
     * <p>The exact quantile is the value of rank {@code ceil(quantile * count)}, counted from 1. The result is the
     * greatest value of the exact quantile's bucket, so it is never below the exact quantile:
     *
     * <ul>
     *   <li>If the histogram was built with {@linkplain #bounds() bounds}, it is one of them or {@link Long#MAX_VALUE}.
     *   <li>Otherwise, in range, it is above the exact quantile by less than a unit, or by no more than the relative
     *       error. It is -1 if the exact quantile is negative, and {@link Long#MAX_VALUE} if that is above the range.
     * </ul>
     *
     * <p>If there are more than 2^50 values, the rank can be too low by a part in 2^52, and so can the result.
     *
     * @param quantile from 0 to 1
     * @throws IllegalArgumentException if it is out of range
     * @throws NoSuchElementException if there are no values
     * @throws ArithmeticException if there are more than 2^63 - 1 values, so that their count is not known
     */
    public long quantile(double quantile) {
        return quantiles(quantile)[0];
    }

    /**
     * Returns several quantiles, each as {@link #quantile} does, in one pass through the buckets.
     *
     * @param quantiles from 0 to 1, in ascending order
     * @throws IllegalArgumentException if one is out of range or below the one before it
     * @throws NoSuchElementException if there are no values
     * @throws ArithmeticException if there are more than 2^63 - 1 values, so that their count is not known
     */
    public long[] quantiles(double... quantiles) {
        checkCountsKnown();
        long[] values = new long[quantiles.length];
        long upTo = 0;
        int index = -1;
        for (int i = 0; i < quantiles.length; i++) {
            if (i > 0 && quantiles[i] < quantiles[i - 1]) {
                throw new IllegalArgumentException("the quantiles must be in ascending order, but " + quantiles[i]
                        + " follows " + quantiles[i - 1]);
            }
            long rank = rank(quantiles[i]);
            while (upTo < rank) {
                index++;
                upTo += counts[index];
            }
            values[i] = layout.highest(index);
        }
        return values;
    }

    private long rank(double quantile) {
        if (!(quantile >= 0 && quantile <= 1)) {
            throw new IllegalArgumentException("a quantile must be from 0 to 1, such as 0.99, not " + quantile);
        }
        // One step down: a product that is rounded up would be one rank too high, as 0.07 * 100 is 7.000000000000001.
        double rank = Math.ceil(Math.nextDown(quantile) * count);
        return quantile == 1 ? count : Math.clamp((long) rank, 1, count);
    }

    /** Whether there are more values than can be counted, so that nobody knows which of them is the median. */
    boolean isWrapped() {
        return wrapped;
    }

    private void checkCountsKnown() {
        if (wrapped) {
            throw new ArithmeticException("more than 2^63 - 1 values were recorded: the counts have wrapped");
        }
        checkNotEmpty();
    }

    /**
     * Returns for each bound how many values are not above it. Prometheus' classic histograms call such a bound {@code
     * le}; for the bound +Inf use {@link #count()}.
     *
     * <p>The count is exact if the bound is the greatest value of a bucket: one of the {@linkplain #bounds() bounds}
     * that the histogram was built with or, if it has none, {@code (1L << n) - 1}, unless that is less than a unit or
     * beyond the range. If a bound falls inside a bucket, that bucket is counted as above it. So no value above a bound
     * is counted, but values just below it may be missing: those that are below it by less than a unit, or by no more
     * than the relative error. Values beyond the range are in one bucket, which only the bound {@code Long.MAX_VALUE}
     * counts. If the histogram has no bounds, all negative values are in one bucket, which no bound below -1 counts.
     *
     * @param upperBounds in ascending order
     * @throws IllegalArgumentException if a bound is not above the one before it
     */
    public long[] cumulativeCounts(long... upperBounds) {
        long[] cumulative = new long[upperBounds.length];
        long below = 0;
        int index = 0;
        for (int i = 0; i < upperBounds.length; i++) {
            if (i > 0 && upperBounds[i] <= upperBounds[i - 1]) {
                throw new IllegalArgumentException("each bound must be greater than the one before, but "
                        + upperBounds[i] + " follows " + upperBounds[i - 1]);
            }
            while (index < counts.length && layout.highest(index) <= upperBounds[i]) {
                below += counts[index];
                index++;
            }
            cumulative[i] = below;
        }
        return cumulative;
    }

    /** The buckets that are not empty, in ascending order, including those for values out of range. */
    public List<Bucket> buckets() {
        List<Bucket> buckets = new ArrayList<>();
        for (int index = 0; index < counts.length; index++) {
            if (counts[index] != 0) {
                buckets.add(new Bucket(layout.lowest(index), layout.highest(index), counts[index]));
            }
        }
        return List.copyOf(buckets);
    }

    /**
     * Returns the sum of this snapshot and another one, which may be of another histogram.
     *
     * @throws IllegalArgumentException if the two have different buckets
     */
    public HistogramSnapshot plus(HistogramSnapshot other) {
        if (!layout.sameAs(other.layout)) {
            throw new IllegalArgumentException("snapshots can only be added if their histograms were built alike, not "
                    + layout + " and " + other.layout);
        }
        long[] both = counts.clone();
        for (int index = 0; index < both.length; index++) {
            both[index] += other.counts[index];
        }
        return new HistogramSnapshot(layout, both, sum + other.sum);
    }

    /**
     * Returns what this snapshot has counted and an earlier one has not. Both must be of the same histogram, with no
     * reset between them. While values are being recorded, the sum can differ from the buckets by those values.
     *
     * @throws IllegalArgumentException if the two have different buckets, or if the other one counted values that this
     *     one did not
     */
    public HistogramSnapshot minus(HistogramSnapshot earlier) {
        if (!layout.sameAs(earlier.layout)) {
            throw new IllegalArgumentException(
                    "snapshots can only be subtracted if their histograms were built alike, not " + layout + " and "
                            + earlier.layout);
        }
        for (int index = 0; index < counts.length; index++) {
            if (counts[index] < earlier.counts[index]) {
                throw new IllegalArgumentException("the snapshot to subtract is not an earlier one: from "
                        + layout.lowest(index) + " to " + layout.highest(index) + " it has " + earlier.counts[index]
                        + " values, and this one has " + counts[index]);
            }
        }
        return since(earlier);
    }

    /** The difference from an earlier snapshot of the same histogram, even if counts have wrapped. */
    HistogramSnapshot since(HistogramSnapshot earlier) {
        long[] difference = new long[counts.length];
        for (int index = 0; index < difference.length; index++) {
            difference[index] = counts[index] - earlier.counts[index];
        }
        return new HistogramSnapshot(layout, difference, sum - earlier.sum);
    }

    /**
     * The upper bounds that the histogram was built with. Each is the greatest value of its bucket, and one more bucket
     * lies above the last. If the histogram's buckets divide powers of two, the array is empty.
     */
    public long[] bounds() {
        return layout.bounds();
    }

    /**
     * Each power of two has {@code 1 << precisionBits()} buckets. (The lowest have fewer: no bucket is narrower than a
     * unit.)
     *
     * @throws IllegalStateException if the histogram has {@link #bounds() bounds} instead
     */
    public int precisionBits() {
        return logLinear().precisionBits();
    }

    /**
     * How wide the narrowest buckets are: {@link HistogramBuilder#lowestDiscernible}, rounded down to a power of two.
     *
     * @throws IllegalStateException if the histogram has {@link #bounds() bounds} instead
     */
    public long unit() {
        return 1L << logLinear().unitBits();
    }

    private LogLinearBuckets logLinear() {
        if (layout instanceof LogLinearBuckets logLinear) {
            return logLinear;
        }
        throw new IllegalStateException(
                "a histogram with bounds has neither a precision nor a unit: ask bounds(), which are "
                        + Arrays.toString(bounds()));
    }

    /**
     * By how much two values of one bucket can differ at most, relative to the lower one. This holds for values in
     * range and for buckets wider than a unit. If the histogram was built with {@linkplain #bounds() bounds} it is
     * infinite, since the first bucket has no lower end.
     */
    public double relativeError() {
        return layout.relativeError();
    }

    /** The greatest value in range. */
    public long highestTrackable() {
        return layout.highestTrackable();
    }

    @Override
    public String toString() {
        return isEmpty()
                ? "no values"
                : count + " values from " + min() + " to " + max()
                        + (wrapped ? ", more than can be counted" : ", median " + quantile(0.5)) + ", sum " + sum;
    }

    private void checkNotEmpty() {
        if (isEmpty()) {
            throw new NoSuchElementException("no values were recorded: check isEmpty() first");
        }
    }
}

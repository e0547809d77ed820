package dev.percpu.concurrent;

import dev.percpu.internal.listing.Registry;
import org.jspecify.annotations.Nullable;

/**
 * Builds a {@link PerCpuHistogram}, and decides which buckets it has.
 *
 * <p>There are two kinds of buckets. By default, buckets divide powers of two: between the lowest discernible and the
 * highest trackable value, each power of two has {@code 1 << precisionBits} buckets of 8 bytes. (The lowest have
 * fewer: no bucket is narrower than a unit.) By default there are 32 buckets for each power of two up to {@link
 * Long#MAX_VALUE}, which take 15 KiB of each CPU's place.
 *
 * <p>The other kind has {@link #bounds bounds} of your own. If a builder is given bounds and also a precision or a
 * range, {@link #build()} throws.
 *
 * <p>A method throws {@link IllegalArgumentException} if its argument is out of range. Only {@link #highestTrackable}
 * leaves that to {@code build()}, since the range depends on another setting.
 */
public final class HistogramBuilder {
    private static final int MOST_PRECISION_BITS = 16;

    /** So that the second run of buckets ends below {@link Long#MAX_VALUE}. */
    private static final int MOST_BITS = 61;

    private @Nullable String name;

    /** The buckets that the user gave. */
    private @Nullable ExplicitBuckets explicit;

    /** The last call that set a precision or a range, which a histogram with bounds does not have. */
    private @Nullable String divided;

    private int precisionBits = 5;
    private long lowestDiscernible = 1;
    private long highestTrackable = Long.MAX_VALUE;

    HistogramBuilder() {}

    /**
     * Gives the histogram a name.
     *
     * @param histogramName for messages and listings, not blank; it need not be unique
     */
    public HistogramBuilder name(String histogramName) {
        name = Registry.checkName(histogramName);
        return this;
    }

    /**
     * Counts in buckets with these upper bounds, and in one more for all values above the last. As with {@code le} in
     * Prometheus' classic histograms, a value belongs to the lowest bound that is not below it: with {@code bounds(10,
     * 20)}, 10 is in the first bucket, 11 and 20 are in the second, and 21 is in the last. The first bucket has no
     * lower end, so negative values are in it too.
     *
     * <p>Recording searches for the value's bucket. The search takes one step if each bound is at least twice the one
     * before, and one more step each time that the number of bounds between two powers of two doubles. Precision and
     * range cannot be given together with bounds.
     *
     * @param upperBounds in ascending order, at least one, none of them {@link Long#MAX_VALUE}
     */
    public HistogramBuilder bounds(long... upperBounds) {
        explicit = ExplicitBuckets.of(label(), upperBounds);
        return this;
    }

    /**
     * Divides each power of two into {@code 1 << bits} buckets. The relative error is {@code 1.0 / (1 << bits)}; 5
     * bits, the default, have 3.1%. Prometheus' native histograms of schema 5 have as many buckets.
     *
     * @param bits from 0 to 16
     */
    public HistogramBuilder precisionBits(int bits) {
        if (bits < 0 || bits > MOST_PRECISION_BITS) {
            throw new IllegalArgumentException(
                    label() + ": the precision must be from 0 to " + MOST_PRECISION_BITS + " bits, not " + bits);
        }
        precisionBits = bits;
        divided = "precisionBits(" + bits + ")";
        return this;
    }

    /**
     * Chooses the fewest precision bits with which two values in one bucket differ by no more than this, relative to
     * the lower one. HdrHistogram's two significant digits are a relative error of 0.01.
     *
     * @param error from 0.00002 to 1
     */
    public HistogramBuilder relativeError(double error) {
        for (int bits = 0; bits <= MOST_PRECISION_BITS; bits++) {
            double reached = 1.0 / (1 << bits);
            if (reached <= error && error <= 1) {
                precisionBits = bits;
                divided = "relativeError(" + error + ")";
                return this;
            }
        }
        throw new IllegalArgumentException(
                label() + ": the relative error must be from 0.00002 to 1, such as 0.01 for 1%, not " + error);
    }

    /**
     * Sets how far apart two small values must be to be told apart. The value is rounded down to a power of two, which
     * is the least width of a bucket. With nanoseconds, 1000 gives buckets at least 512 ns wide, and saves the buckets
     * of the nine lowest powers of two.
     *
     * @param value 1, the default, or more
     */
    public HistogramBuilder lowestDiscernible(long value) {
        if (value < 1) {
            throw new IllegalArgumentException(
                    label() + ": the lowest discernible value must be at least 1, not " + value);
        }
        lowestDiscernible = value;
        divided = "lowestDiscernible(" + value + ")";
        return this;
    }

    /**
     * Counts all values above this in one bucket. The value is rounded up to the end of its bucket.
     *
     * @param value at least twice the lowest discernible value; {@link Long#MAX_VALUE} by default
     */
    public HistogramBuilder highestTrackable(long value) {
        highestTrackable = value;
        divided = "highestTrackable(" + value + ")";
        return this;
    }

    /**
     * Creates the histogram, with nothing recorded.
     *
     * @throws IllegalStateException if the precision and the range do not go together; or if bounds were given, and a
     *     precision or a range as well
     * @throws dev.percpu.memory.AreaFullException if the per-CPU area is full
     */
    public PerCpuHistogram build() {
        PerCpuHistogram histogram = new PerCpuHistogram(label(), layout());
        return name == null ? histogram : histogram.listed(name);
    }

    /** What the histogram is called in messages. */
    private String label() {
        return name == null ? "a PerCpuHistogram" : name;
    }

    BucketLayout layout() {
        if (explicit == null) {
            return logLinear();
        }
        if (divided != null) {
            throw new IllegalStateException(label() + ": bounds(...) and " + divided + " contradict each other: both"
                    + " decide which buckets there are, so leave one of them out");
        }
        return explicit;
    }

    LogLinearBuckets logLinear() {
        if (highestTrackable / 2 < lowestDiscernible) {
            throw new IllegalStateException(label() + ": the highest trackable value, " + highestTrackable
                    + ", must be at least twice the lowest discernible one, " + lowestDiscernible);
        }
        int unitBits = Long.SIZE - 1 - Long.numberOfLeadingZeros(lowestDiscernible);
        if (precisionBits + unitBits > MOST_BITS) {
            throw new IllegalStateException(label() + ": " + precisionBits + " bits of precision are too many if the"
                    + " lowest discernible value is " + lowestDiscernible + ": use at most " + (MOST_BITS - unitBits));
        }
        return LogLinearBuckets.upTo(precisionBits, unitBits, highestTrackable);
    }
}

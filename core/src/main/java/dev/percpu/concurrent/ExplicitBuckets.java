package dev.percpu.concurrent;

import java.util.Arrays;

/**
 * Buckets with upper bounds that the user gave. As in Prometheus' classic histograms, a bound is the greatest value of
 * its bucket ({@code le}):
 *
 * <pre>
 * bounds 10, 20, 50
 *
 * index        0       1      2      3
 * values    up to 10  11-20  21-50  above
 * </pre>
 */
final class ExplicitBuckets extends BucketLayout {
    /*
     * A value's index is the number of bounds below it. Bounds mostly grow by factors, so few of them have the same
     * number of bits. A table, indexed by the value's leading zeros, gives the first bound that has as many bits as the
     * value. All bounds before that one are less than the value. From there a binary search looks at a fixed number of
     * bounds: as many as share one number of bits at most. If fewer bounds have as many bits as this value, the search
     * also looks at bounds with more bits, which are greater than the value. Behind the last bound the array is padded
     * with bounds that no value exceeds. So the search takes the same number of steps for every value. In each step it
     * adds half of the rest, or 0, without a branch that the processor could mispredict.
     *
     * This is right for values from 0 on: there a bound minus a value does not overflow, and the sign of the difference
     * says which one is less. Negative values are rare; the JDK's binary search finds their bucket.
     */
    private static final int LENGTHS = Long.SIZE + 1;

    /** The bounds, followed by entries of {@link Long#MAX_VALUE}. */
    private final long[] padded;

    private final int count;

    /** By a value's number of leading zeros: how many bounds have more leading zeros, or are negative. */
    private final int[] first = new int[LENGTHS];

    /** How many bounds the first step of a search can skip, a power of two. */
    private final int firstHalf;

    private ExplicitBuckets(long[] bounds) {
        this.count = bounds.length;
        int most = 1;
        for (int zeros = 1; zeros < LENGTHS; zeros++) {
            int before = 0;
            int same = 0;
            for (long bound : bounds) {
                if (bound < 0 || Long.numberOfLeadingZeros(bound) > zeros) {
                    before++;
                } else if (Long.numberOfLeadingZeros(bound) == zeros) {
                    same++;
                }
            }
            first[zeros] = before;
            most = Math.max(most, same);
        }
        this.firstHalf = Integer.highestOneBit(most);
        this.padded = Arrays.copyOf(bounds, count + firstHalf);
        Arrays.fill(padded, count, padded.length, Long.MAX_VALUE);
    }

    /**
     * Creates a bucket for each of the given upper bounds, and one for all values above them.
     *
     * @param label the histogram, for messages
     * @throws IllegalArgumentException if there are no bounds, if they do not ascend, or if one is {@code MAX_VALUE}
     */
    static ExplicitBuckets of(String label, long... bounds) {
        if (bounds.length == 0) {
            throw new IllegalArgumentException(
                    label + ": bounds() needs at least one upper bound, such as bounds(10, 100)");
        }
        for (int i = 1; i < bounds.length; i++) {
            if (bounds[i] <= bounds[i - 1]) {
                throw new IllegalArgumentException(label + ": each bound must be greater than the one before, but "
                        + bounds[i] + " follows " + bounds[i - 1]);
            }
        }
        if (bounds[bounds.length - 1] == Long.MAX_VALUE) {
            throw new IllegalArgumentException(label + ": Long.MAX_VALUE cannot be a bound. Leave it out, since"
                    + " the values above the last bound always have a bucket");
        }
        return new ExplicitBuckets(bounds);
    }

    @Override
    int size() {
        return count + 1;
    }

    @Override
    int indexOf(long value) {
        if (value < 0) {
            int found = Arrays.binarySearch(padded, value);
            return found < 0 ? ~found : found;
        }
        int index = first[Long.numberOfLeadingZeros(value)];
        for (int half = firstHalf; half > 0; half >>= 1) {
            // All ones if the bound is below the value.
            index += half & (int) ((padded[index + half - 1] - value) >> (Long.SIZE - 1));
        }
        return index;
    }

    @Override
    long lowest(int index) {
        return index == 0 ? Long.MIN_VALUE : padded[index - 1] + 1;
    }

    @Override
    long highest(int index) {
        return index == count ? Long.MAX_VALUE : padded[index];
    }

    @Override
    int below() {
        return 0;
    }

    @Override
    double relativeError() {
        // The first bucket goes down to Long.MIN_VALUE.
        return Double.POSITIVE_INFINITY;
    }

    @Override
    long[] bounds() {
        return Arrays.copyOf(padded, count);
    }

    @Override
    boolean sameAs(BucketLayout other) {
        // No bound is what the padding is.
        return other instanceof ExplicitBuckets explicit && Arrays.equals(padded, explicit.padded);
    }

    @Override
    public String toString() {
        return size() + " buckets with the upper bounds "
                + (count <= 16
                        ? Arrays.toString(bounds())
                        : padded[0] + ", " + padded[1] + ", ... " + padded[count - 1]);
    }
}

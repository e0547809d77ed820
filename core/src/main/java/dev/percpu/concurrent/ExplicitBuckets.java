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
final class ExplicitBuckets extends Buckets {
    /*
     * The index of a value is the number of bounds below it. Bounds mostly grow by factors: few have the same number of
     * bits. So a value's leading zeros lead, by a table, to the first bound that has as many bits as the value; all
     * before it are less. From there a binary search looks at as many bounds as there are at most with one number of
     * bits. It may look beyond those, as the bounds there are greater than the value, and beyond the last one, where
     * the array has some more that no value is above. So the search takes the same number of steps for all values, and
     * adds a half or 0 in each, without a branch that the processor could mispredict.
     *
     * That is right for values from 0 on. There a bound minus a value does not overflow, and its sign says which one is
     * less. Negative values, which are rare, are searched for by the JDK's method.
     */
    private static final int LENGTHS = Long.SIZE + 1;

    /** The bounds, and behind them more that are {@link Long#MAX_VALUE}. */
    private final long[] padded;

    private final int count;

    /** By a value's number of leading zeros: how many bounds have more leading zeros, or are negative. */
    private final int[] first = new int[LENGTHS];

    /** By how much the first step of a search goes on, a power of two. */
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
        this.padded = Arrays.copyOf(bounds, count + 2 * firstHalf);
        Arrays.fill(padded, count, padded.length, Long.MAX_VALUE);
    }

    /**
     * Makes buckets with the given upper bounds, and one for all values above them.
     *
     * @throws IllegalArgumentException if there are none, if they do not rise, or if one is above all values
     */
    static ExplicitBuckets of(long... bounds) {
        if (bounds.length == 0) {
            throw new IllegalArgumentException("a histogram has at least one upper bound, such as bounds(10, 100)");
        }
        for (int i = 1; i < bounds.length; i++) {
            if (bounds[i] <= bounds[i - 1]) {
                throw new IllegalArgumentException(
                        "the bounds must rise: " + bounds[i] + " comes after " + bounds[i - 1]);
            }
        }
        if (bounds[bounds.length - 1] == Long.MAX_VALUE) {
            throw new IllegalArgumentException("Long.MAX_VALUE is no bound: leave it out, since the values above the"
                    + " last bound always have a bucket");
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
            int found = Arrays.binarySearch(padded, 0, count, value);
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
    boolean sameAs(Buckets other) {
        return other instanceof ExplicitBuckets explicit
                && count == explicit.count
                && Arrays.equals(padded, explicit.padded);
    }

    @Override
    public String toString() {
        return size() + " buckets with the upper bounds "
                + (count <= 16
                        ? Arrays.toString(bounds())
                        : padded[0] + ", " + padded[1] + ", ... " + padded[count - 1]);
    }
}

package dev.percpu.prometheus;

import static java.lang.Double.POSITIVE_INFINITY;
import static java.lang.Double.doubleToRawLongBits;
import static java.lang.Double.longBitsToDouble;

import java.util.Arrays;
import java.util.Collection;
import java.util.stream.DoubleStream;

/**
 * The upper bounds of classic buckets, and which bucket a value falls into: the first whose bound is not below it.
 *
 * <p>The bits of positive doubles, read as a {@code long}, are in the order of the doubles. Their highest bits, which
 * are the exponent and some of the mantissa, cut the numbers into slices. If they are cut so finely that no slice has
 * more than one bound, a table has the bucket of a slice's lowest values and the bound to compare with: a value is in
 * that bucket or in the next. Otherwise that bucket is where the search begins.
 */
final class ClassicBounds {
    private static final int MANTISSA_BITS = 52;

    /** So many slices at most, and so many bits of the mantissa in their numbers, which are ints. */
    private static final int MOST_SLICES = 1024;

    private static final int FINEST = 16;

    private final double[] upper;

    /** How many of the bits are no part of a slice's number. */
    private final int shift;

    private final int firstSlice;

    /** Whether one comparison tells the bucket. */
    private final boolean oneComparison;

    /** The bucket of each slice's lowest values. What lies outside counts to the first or to the last slice. */
    private final int[] lowestBucket;

    /** The bounds of those buckets. */
    private final double[] lowestBound;

    /** The bounds in order, without duplicates, and with infinity. None is NaN. */
    ClassicBounds(Collection<Double> bounds) {
        // Adding 0 makes 0 of -0, which would count as another bound.
        upper = DoubleStream.concat(
                        bounds.stream().mapToDouble(bound -> bound + 0.0), DoubleStream.of(POSITIVE_INFINITY))
                .sorted()
                .distinct()
                .toArray();
        double[] positive = Arrays.stream(upper)
                .filter(bound -> bound > 0 && bound < POSITIVE_INFINITY)
                .toArray();
        double lowest = positive.length == 0 ? 1 : positive[0];
        double highest = positive.length == 0 ? 1 : positive[positive.length - 1];
        int shift = MANTISSA_BITS;
        while (!areApart(positive, shift)
                && shift > MANTISSA_BITS - FINEST
                && slice(highest, shift - 1) - slice(lowest, shift - 1) < MOST_SLICES) {
            shift--;
        }
        this.shift = shift;
        // Where no bound is below, negative values and 0 count to the first slice too.
        oneComparison = areApart(positive, shift) && upper[0] > 0;
        firstSlice = slice(lowest, shift);
        lowestBucket = new int[slice(highest, shift) - firstSlice + 1];
        lowestBound = new double[lowestBucket.length];
        for (int slice = 0; slice < lowestBucket.length; slice++) {
            // Below the first slice there are still the positive numbers.
            double least = slice == 0 ? Double.MIN_VALUE : longBitsToDouble((long) (firstSlice + slice) << shift);
            lowestBucket[slice] = search(0, least);
            lowestBound[slice] = upper[lowestBucket[slice]];
        }
    }

    private static boolean areApart(double[] positive, int shift) {
        for (int i = 1; i < positive.length; i++) {
            if (slice(positive[i - 1], shift) == slice(positive[i], shift)) {
                return false;
            }
        }
        return true;
    }

    private static int slice(double positive, int shift) {
        return (int) (doubleToRawLongBits(positive) >> shift);
    }

    /** How many buckets there are, that up to infinity included. */
    int count() {
        return upper.length;
    }

    /** All upper bounds, a copy. */
    double[] upper() {
        return upper.clone();
    }

    /** The bucket of a value that is not NaN. */
    int bucketOf(double value) {
        // Negative for a negative value.
        int slice = Math.clamp((doubleToRawLongBits(value) >> shift) - firstSlice, 0, lowestBucket.length - 1);
        if (oneComparison) {
            return lowestBucket[slice] + (value > lowestBound[slice] ? 1 : 0);
        }
        return search(value > 0 ? lowestBucket[slice] : 0, value);
    }

    private int search(int bucket, double value) {
        int found = bucket;
        while (value > upper[found]) {
            found++;
        }
        return found;
    }
}

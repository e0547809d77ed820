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
 * are the exponent and some of the mantissa, cut the numbers into slices. For each slice a table has the bucket to
 * begin with. With the usual bounds at most one comparison is left that fails.
 */
final class ClassicBounds {
    private static final int MANTISSA_BITS = 52;

    /** At most so many slices for each power of two, as a power of two itself, and altogether. */
    private static final int FINEST = 4;

    private static final int MOST_SLICES = 1024;

    private final double[] upper;

    /** How many of the bits are no part of a slice's number. */
    private final int shift;

    private final int firstSlice;

    /** The lowest bucket of a value in each slice. Values outside are in the first or the last slice. */
    private final int[] lowestBucket;

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
        while (shift > MANTISSA_BITS - FINEST && slice(highest, shift - 1) - slice(lowest, shift - 1) < MOST_SLICES) {
            shift--;
        }
        this.shift = shift;
        firstSlice = slice(lowest, shift);
        lowestBucket = new int[slice(highest, shift) - firstSlice + 1];
        for (int slice = 0; slice < lowestBucket.length; slice++) {
            // Below the first slice there are still the positive numbers.
            double least = slice == 0 ? Double.MIN_VALUE : longBitsToDouble((long) (firstSlice + slice) << shift);
            lowestBucket[slice] = search(0, least);
        }
    }

    private static int slice(double positive, int shift) {
        return (int) (doubleToRawLongBits(positive) >>> shift);
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
        if (value <= 0) {
            return search(0, value);
        }
        int slice = slice(value, shift) - firstSlice;
        return search(lowestBucket[Math.clamp(slice, 0, lowestBucket.length - 1)], value);
    }

    private int search(int bucket, double value) {
        while (value > upper[bucket]) {
            bucket++;
        }
        return bucket;
    }
}

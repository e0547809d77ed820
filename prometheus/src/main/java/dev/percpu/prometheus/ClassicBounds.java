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
 * are the exponent and some of the mantissa, cut the numbers into slices; the rest is where in its slice a number lies.
 * If they are cut so finely that no slice has more than one bound, a value is in the bucket of its slice's lowest
 * values, or in the next one if it is above the bound. A table says which, with one addition: see {@link #entry}.
 * Otherwise the bucket is searched.
 */
final class ClassicBounds {
    private static final int MANTISSA_BITS = 52;

    /**
     * The slices are cut more finely only up to so many. They begin with one for each power of two, so bounds that are
     * far apart, such as 1e-200 and 1e200, can have more from the start: at most 2048.
     */
    private static final int MOST_SLICES = 1024;

    /** So many bits of the mantissa at most are in the number of a slice, which is an int. */
    private static final int FINEST = 16;

    private final double[] upper;

    /** How many of the bits are no part of a slice's number. */
    private final int shift;

    /** The bits of the lowest number of the first slice, in which the lowest positive bound lies. */
    private final long lowest;

    /** The bits of the lowest number of the last slice, behind that in which the highest finite bound lies. */
    private final long highest;

    /** For each slice its {@link #entry}; empty if some slice has several bounds, or a bound is not positive. */
    private final long[] table;

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
        this.lowest = (long) slice(lowest, shift) << shift;
        this.highest = (long) (slice(highest, shift) + 1) << shift;
        // Where no bound is below, negative values and 0 count to the first slice too.
        boolean oneComparison = areApart(positive, shift) && upper[0] > 0;
        table = new long[oneComparison ? (int) ((this.highest - this.lowest) >> shift) + 1 : 0];
        for (int slice = 0; slice < table.length; slice++) {
            table[slice] = entry(slice);
        }
    }

    /**
     * What to add to the bits of a value in this slice, less {@link #lowest}. Then the bits above the shift are the
     * number of the value's bucket. Before that, they are the slice's number, and the bits below are the value's
     * distance from the beginning of the slice. The upper part of the entry turns the slice's number into a bucket's.
     * The lower part makes the distance carry into it if the value is above the slice's bound, and so in the next
     * bucket.
     */
    private long entry(int slice) {
        long least = lowest + ((long) slice << shift);
        int bucket = search(longBitsToDouble(least));
        // The last slice has no bound, and may begin with infinity.
        long distance = doubleToRawLongBits(upper[bucket]) - least;
        long carry = Math.max(0, (1L << shift) - 1 - distance);
        return ((long) (bucket - slice) << shift) + carry;
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
        if (table.length == 0) {
            return search(value);
        }
        // What lies outside counts to the first or to the last slice: the bits of a negative value are negative.
        long bits = Math.min(Math.max(doubleToRawLongBits(value), lowest), highest) - lowest;
        return (int) ((bits + table[(int) (bits >> shift)]) >> shift);
    }

    private int search(double value) {
        int found = Arrays.binarySearch(upper, value);
        return found >= 0 ? found : ~found;
    }
}

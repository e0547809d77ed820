package dev.percpu.prometheus;

import static java.lang.Double.doubleToRawLongBits;
import static java.lang.Double.longBitsToDouble;

/**
 * A resolution of native histograms: how many buckets there are for a power of two, and which of them a value is in.
 * Schema {@code s} has {@code 2^s} of them, or one bucket for {@code 2^-s} powers of two if it is negative. Bucket
 * {@code i} holds what is above {@code 2^((i-1) / 2^s)} and not above {@code 2^(i / 2^s)}: a power of two is the
 * <em>highest</em> value of its bucket, while in the bits of a double it is the lowest of its exponent.
 *
 * <p>The client compares a value's fraction, from 0.5 to 1, with a table of bounds. This class compares the same bounds
 * as bits of the mantissa, which are in the same order, and begins at the right place. So the results are the client's,
 * bit for bit.
 */
final class NativeSchema {
    static final int COARSEST = -4;
    static final int FINEST = 8;

    private static final int MANTISSA_BITS = 52;
    private static final long MANTISSA = (1L << MANTISSA_BITS) - 1;

    /** The exponent in the bits of a fraction from 0.5 to just below 1. */
    private static final int HALF = 1022;

    /** Multiplied by 2 to this power, each subnormal number becomes a normal one, without rounding. */
    private static final int NORMALIZE = 54;

    private static final NativeSchema[] ALL = new NativeSchema[FINEST - COARSEST + 1];

    static {
        for (int schema = COARSEST; schema <= FINEST; schema++) {
            ALL[schema - COARSEST] = new NativeSchema(schema);
        }
    }

    private final int schema;

    /**
     * The mantissas of the upper bounds between two powers of two, beginning with a power of two, and one that is
     * above all.
     */
    private final long[] bounds;

    /**
     * For each value of a mantissa's highest bits, the index of the first bound that is not below the lowest mantissa
     * with these bits. There are twice as many such values as bounds, so among the mantissas of each is at most one
     * bound.
     */
    private final int[] firstBound;

    private NativeSchema(int schema) {
        this.schema = schema;
        if (schema <= 0) {
            bounds = new long[0];
            firstBound = new int[0];
            return;
        }
        int count = 1 << schema;
        bounds = new long[count + 1];
        double[] fractions = fractions(schema);
        for (int i = 0; i < count; i++) {
            bounds[i] = doubleToRawLongBits(fractions[i]) & MANTISSA;
        }
        bounds[count] = Long.MAX_VALUE;
        firstBound = new int[2 * count];
        int bound = 0;
        for (int slice = 0; slice < firstBound.length; slice++) {
            while (bounds[bound] < (long) slice << (MANTISSA_BITS - schema - 1)) {
                bound++;
            }
            firstBound[slice] = bound;
        }
    }

    /** The bounds as fractions, from 0.5 on, with the client's steps, as other ones round differently. */
    private static double[] fractions(int schema) {
        double[] coarser = schema == 1 ? new double[] {0.5} : fractions(schema - 1);
        double[] fractions = new double[1 << schema];
        double step = Math.pow(2, Math.pow(2, -schema));
        for (int i = 0; i < fractions.length; i++) {
            fractions[i] = i % 2 == 0 ? coarser[i / 2] : fractions[i - 1] * step;
        }
        return fractions;
    }

    static NativeSchema of(int schema) {
        return ALL[schema - COARSEST];
    }

    int number() {
        return schema;
    }

    /** The schema with half as many buckets. */
    NativeSchema coarser() {
        return of(schema - 1);
    }

    /** The bucket of the {@link #coarser} schema that holds this one: the half of its index, rounded up. */
    static int coarser(int index) {
        return -(-index >> 1);
    }

    /** The bucket of a value above 0. Infinity has one for itself, behind that of the greatest number. */
    int indexOf(double value) {
        if (value == Double.POSITIVE_INFINITY) {
            return indexOf(Double.MAX_VALUE) + 1;
        }
        long bits = doubleToRawLongBits(value);
        int exponent = (int) (bits >>> MANTISSA_BITS) - HALF;
        if (exponent == -HALF) {
            bits = doubleToRawLongBits(value * 0x1p54);
            exponent = (int) (bits >>> MANTISSA_BITS) - HALF - NORMALIZE;
        }
        // The value is a fraction from 0.5 on, and below 1, times two to the exponent.
        long mantissa = bits & MANTISSA;
        if (schema <= 0) {
            int power = mantissa == 0 ? exponent - 1 : exponent;
            return -(-power >> -schema);
        }
        int bound = firstBound[(int) (mantissa >>> (MANTISSA_BITS - schema - 1))];
        return bound + (mantissa > bounds[bound] ? 1 : 0) + ((exponent - 1) << schema);
    }

    /** The highest value in a bucket. */
    double upperBound(int index) {
        if (schema <= 0) {
            return finite(Math.scalb(1.0, index << -schema), index);
        }
        double fraction = longBitsToDouble(((long) HALF << MANTISSA_BITS) | bounds[index & ((1 << schema) - 1)]);
        return finite(Math.scalb(fraction, (index >> schema) + 1), index);
    }

    private double finite(double bound, int index) {
        return bound == Double.POSITIVE_INFINITY && index == indexOf(Double.MAX_VALUE) ? Double.MAX_VALUE : bound;
    }
}

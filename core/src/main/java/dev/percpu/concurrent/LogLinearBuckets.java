package dev.percpu.concurrent;

/**
 * Which bucket a value belongs to: buckets of equal width within each power of two, and of twice that width in the next.
 *
 * <pre>
 * precisionBits = 2, unitBits = 0
 *
 * index   0      1 2 3 4  5 6 7 8  9   10  11    12    13      14      ...   overflow
 * values  below 0  0 1 2 3  4 5 6 7  8-9 10-11 12-13 14-15 16-19   20-23   ...   above the last bucket
 * width          1        1        2                     4
 * </pre>
 *
 * <p>It is the layout of HdrHistogram, and of OpenTelemetry's and the kernel's log-linear histograms.
 *
 * @param precisionBits each power of two has {@code 1 << precisionBits} buckets
 * @param unitBits the narrowest buckets are {@code 1 << unitBits} wide
 * @param overflow the index of the last bucket, of all values above the range; index 0 has all negative ones
 */
record LogLinearBuckets(int precisionBits, int unitBits, int overflow) {
    /*
     * Both computations have no branch on the value but the last one of indexOf, which is predicted for values in the
     * range. The highest bit of the value says how far to shift it so that precisionBits + 1 bits remain; a bit that is
     * ORed in keeps the shift from falling below unitBits. A negative value, read as an unsigned one, has the highest bit
     * of all: its index comes out above that of Long.MAX_VALUE, so that one comparison finds both ends of the range.
     */
    static final int UNDERFLOW = 0;

    private static final int FIRST = 1;

    /** @param highest the range is extended to the end of this value's bucket */
    static LogLinearBuckets upTo(int precisionBits, int unitBits, long highest) {
        var endless = new LogLinearBuckets(precisionBits, unitBits, Integer.MAX_VALUE);
        return new LogLinearBuckets(precisionBits, unitBits, endless.indexOf(highest) + 1);
    }

    /** How many buckets there are, with those for values out of range. */
    int size() {
        return overflow + 1;
    }

    /** From 0 to {@code size() - 1}; rises with the value. */
    int indexOf(long value) {
        int highestBit = Long.SIZE - 1 - Long.numberOfLeadingZeros(value | 1L << (precisionBits + unitBits));
        int shift = highestBit - precisionBits;
        int index = FIRST + ((shift - unitBits) << precisionBits) + (int) (value >>> shift);
        return index < overflow ? index : outOfRange(value);
    }

    private int outOfRange(long value) {
        return value < 0 ? UNDERFLOW : overflow;
    }

    /** The least value of a bucket. */
    long lowest(int index) {
        if (index == UNDERFLOW) {
            return Long.MIN_VALUE;
        }
        int number = index - FIRST;
        int widening = widening(number);
        return (long) (number - (widening << precisionBits)) << (widening + unitBits);
    }

    /** The greatest value of a bucket. */
    long highest(int index) {
        if (index == UNDERFLOW) {
            return -1;
        }
        if (index == overflow) {
            return Long.MAX_VALUE;
        }
        return lowest(index) + (1L << (widening(index - FIRST) + unitBits)) - 1;
    }

    /** How often the width was doubled: the first two runs of buckets have the same. */
    private int widening(int number) {
        return Math.max(0, (number >> precisionBits) - 1);
    }

    /** How far a value in the range can be from another in its bucket, relative to it, if no unit is wider. */
    double relativeError() {
        return 1.0 / (1L << precisionBits);
    }

    @Override
    public String toString() {
        return size() + " buckets up to " + highest(overflow - 1) + ", each at most 1/" + (1L << precisionBits)
                + " of its values or " + (1L << unitBits) + " wide";
    }
}

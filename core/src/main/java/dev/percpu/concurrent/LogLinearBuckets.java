package dev.percpu.concurrent;

/**
 * Which bucket a value belongs to: a fixed number of buckets for each power of two.
 *
 * <pre>
 * with 2 bits of precision, a unit of 1, and values up to 20:
 *
 * index         0       1 2 3 4   5 6 7 8   9    10     11     12     13     14    15
 * values    negative    0 1 2 3   4 5 6 7  8-9  10-11  12-13  14-15  16-19  20-23  above
 * width                    1         1      2     2      2      2      4      4
 * </pre>
 *
 * <p>The layout is HdrHistogram's and OpenTelemetry's.
 */
final class LogLinearBuckets extends Buckets {
    /*
     * A value's highest bit says how far to shift it so that precisionBits + 1 bits remain. They number the buckets
     * within a power of two, and the shift numbers the powers of two. The first two runs of buckets have the same
     * width: for values below the second one a bit is ORed in that keeps the shift from becoming less. A negative
     * value, read as an unsigned one, has the highest bit of all, so its number is above that of Long.MAX_VALUE, and
     * one comparison finds both ends of the range.
     *
     * What does not depend on the value is computed beforehand, which takes half a nanosecond of three from recording.
     */
    /** The bucket of all negative values. */
    static final int UNDERFLOW = 0;

    private static final int FIRST = 1;

    private static final int HIGHEST_BIT = Long.SIZE - 1;

    private final int precisionBits;
    private final int unitBits;
    private final int overflow;

    /** Where the second run of buckets begins. */
    private final long secondRun;

    /** The shift of a value that has the highest bit. */
    private final int greatestShift;

    /** The index of the first bucket, as if it had been reached by shifts from 0 on. */
    private final int origin;

    private LogLinearBuckets(int precisionBits, int unitBits, int overflow) {
        this.precisionBits = precisionBits;
        this.unitBits = unitBits;
        this.overflow = overflow;
        this.secondRun = 1L << (precisionBits + unitBits);
        this.greatestShift = HIGHEST_BIT - precisionBits;
        this.origin = FIRST - (unitBits << precisionBits);
    }

    /**
     * @param precisionBits each power of two has {@code 1 << precisionBits} buckets
     * @param unitBits the narrowest buckets are {@code 1 << unitBits} wide
     * @param highest the range is extended to the end of this value's bucket
     */
    static LogLinearBuckets upTo(int precisionBits, int unitBits, long highest) {
        var endless = new LogLinearBuckets(precisionBits, unitBits, Integer.MAX_VALUE);
        return new LogLinearBuckets(precisionBits, unitBits, endless.indexOf(highest) + 1);
    }

    /** Each power of two has {@code 1 << precisionBits()} buckets. */
    int precisionBits() {
        return precisionBits;
    }

    /** The narrowest buckets are {@code 1 << unitBits()} wide. */
    int unitBits() {
        return unitBits;
    }

    @Override
    int size() {
        return overflow + 1;
    }

    @Override
    int indexOf(long value) {
        int shift = greatestShift - Long.numberOfLeadingZeros(value | secondRun);
        int index = origin + (shift << precisionBits) + (int) (value >>> shift);
        return index < overflow ? index : outOfRange(value);
    }

    private int outOfRange(long value) {
        return value < 0 ? UNDERFLOW : overflow;
    }

    @Override
    long lowest(int index) {
        if (index == UNDERFLOW) {
            return Long.MIN_VALUE;
        }
        int number = index - FIRST;
        int widening = widening(number);
        return (long) (number - (widening << precisionBits)) << (widening + unitBits);
    }

    @Override
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

    @Override
    int below() {
        return FIRST;
    }

    @Override
    double relativeError() {
        return 1.0 / (1L << precisionBits);
    }

    @Override
    long[] bounds() {
        return new long[0];
    }

    @Override
    boolean sameAs(Buckets other) {
        return other instanceof LogLinearBuckets same
                && precisionBits == same.precisionBits
                && unitBits == same.unitBits
                && overflow == same.overflow;
    }

    @Override
    public String toString() {
        return size() + " buckets, " + (1L << precisionBits) + " for each power of two from " + (1L << unitBits)
                + " to " + highestTrackable();
    }
}

package dev.percpu.concurrent;

/**
 * Divides each power of two into the same number of buckets.
 *
 * <pre>
 * with 2 bits of precision, a unit of 1, and values up to 20:
 *
 * index         0       1 2 3 4   5 6 7 8   9    10     11     12     13     14    15
 * values    negative    0 1 2 3   4 5 6 7  8-9  10-11  12-13  14-15  16-19  20-23  above
 * width                    1         1      2     2      2      2      4      4
 * </pre>
 *
 * <p>The layout is HdrHistogram's.
 */
final class LogLinearBuckets extends BucketLayout {
    /*
     * A value's highest bit says how far to shift the value so that precisionBits + 1 bits remain. These bits number
     * the buckets within a power of two, and the shift numbers the powers of two. The first two runs of buckets have
     * the same width. So for values below the second run, one bit is set before the shift is computed, which keeps the
     * shift from becoming smaller. A negative value, read as an unsigned number, has the highest bit set. Its index is
     * therefore above that of Long.MAX_VALUE, and one comparison finds both ends of the range.
     *
     * The constructor computes everything that does not depend on the value. That saves half a nanosecond of three.
     */
    /** The bucket of all negative values. */
    static final int UNDERFLOW = 0;

    private static final int FIRST = 1;

    private static final int HIGHEST_BIT = Long.SIZE - 1;

    private final int precisionBits;
    private final int unitBits;
    private final int overflow;

    /** The value at which the second run of buckets begins. */
    private final long secondRun;

    /** The shift of a value whose highest bit is set. */
    private final int greatestShift;

    /** What {@link #indexOf} adds so that the narrowest buckets, whose shift is not 0 but unitBits, come first. */
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
     * @param highest the range ends where this value's bucket ends
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

    /** How often the width has doubled up to a bucket. The first two runs of buckets have the same width. */
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
    boolean sameAs(BucketLayout other) {
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

package dev.percpu.concurrent;

/**
 * Which bucket of a {@link PerCpuHistogram} a value belongs to. The buckets are numbered from the least values to the
 * greatest, without gaps: every {@code long} belongs to exactly one of them. The last bucket has all values that are
 * above the range.
 */
abstract sealed class Buckets permits LogLinearBuckets, ExplicitBuckets {
    /** How many buckets there are, those for values out of range included. */
    abstract int size();

    /** From 0 to {@code size() - 1}; rises with the value. */
    abstract int indexOf(long value);

    /** The least value of a bucket. */
    abstract long lowest(int index);

    /** The greatest value of a bucket. */
    abstract long highest(int index);

    /** How many buckets are for values below the range: 1 or 0. */
    abstract int below();

    /**
     * How far a value of the range can be above another in its bucket, relative to that one, if the bucket is wider
     * than a unit.
     */
    abstract double relativeError();

    /** The upper bounds that the user gave; empty if the buckets divide powers of two. */
    abstract long[] bounds();

    /** Whether all buckets are the same. */
    abstract boolean sameAs(Buckets other);

    /** The index of the last bucket, of all values above the range. */
    final int overflow() {
        return size() - 1;
    }

    /** The greatest value of the range. */
    final long highestTrackable() {
        return highest(overflow() - 1);
    }
}

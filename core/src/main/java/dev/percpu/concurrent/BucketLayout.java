package dev.percpu.concurrent;

/**
 * Says which bucket of a {@link PerCpuHistogram} a value belongs to. The buckets are numbered without gaps, from the
 * least values to the greatest. Every {@code long} belongs to exactly one bucket. The last one has all values above
 * the range.
 */
abstract sealed class BucketLayout permits LogLinearBuckets, ExplicitBuckets {
    /** How many buckets there are, including those for values out of range. */
    abstract int size();

    /** The index of a value's bucket, from 0 to {@code size() - 1}. A greater value never has a lower index. */
    abstract int indexOf(long value);

    /** The least value of a bucket. */
    abstract long lowest(int index);

    /** The greatest value of a bucket. */
    abstract long highest(int index);

    /** How many buckets are for values below the range: 1 or 0. */
    abstract int below();

    /**
     * By how much two values of one bucket can differ at most, relative to the lower one. This holds for values in
     * range and for buckets wider than a unit.
     */
    abstract double relativeError();

    /** The upper bounds that the user gave; empty if the buckets divide powers of two. */
    abstract long[] bounds();

    /** Whether both have the same buckets. */
    abstract boolean sameAs(BucketLayout other);

    /** The index of the last bucket, which has all values above the range. */
    final int overflow() {
        return size() - 1;
    }

    /** The greatest value of the range. */
    final long highestTrackable() {
        return highest(overflow() - 1);
    }
}

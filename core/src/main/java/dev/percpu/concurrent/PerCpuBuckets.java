package dev.percpu.concurrent;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.listing.Values;
import dev.percpu.internal.protocol.AdjacentNumbers;
import dev.percpu.internal.protocol.Sums;
import dev.percpu.listing.Value;
import dev.percpu.memory.AreaFullException;
import java.lang.ref.Reference;
import java.util.Arrays;
import java.util.List;

/**
 * A histogram of {@code double} values whose buckets are the caller's own: a count for each bucket, and the sum of the
 * values. The caller computes which bucket a value is in. It is what an adapter for a metrics library is made of, if
 * that library decides on the buckets. Otherwise {@link PerCpuHistogram} is the simpler choice.
 *
 * <pre>{@code
 * static final PerCpuBuckets SIZES = new PerCpuBuckets("sizes by power of two", 2048);
 *
 * SIZES.record(Math.getExponent(size) + 1023, size);
 * long[] byPower = SIZES.counts();
 * double all = SIZES.sum();
 * }</pre>
 *
 * <p>Recording takes no lock and no atomic instruction, allocates nothing and never waits, except for the update with
 * which a hot thread tries to get a place of its own: see {@link PerCpuHistogram}. It is one native call with two
 * sequences, or for a hot platform thread two additions in its own place. There is no reset. It takes 8
 * bytes for each CPU and for each hot thread, and 8 more for each bucket. The memory is given back once the object is
 * unreachable. There is nothing to close.
 *
 * <p><b>Exactness.</b> Each value is counted once, and added once to the sum. Additions of doubles are rounded and not
 * associative, so sums of the same values can differ in their last bits. A NaN makes the sum NaN for good.
 *
 * <p><b>Ordering.</b> Recording and reading are opaque, and order nothing else. Counts and sum are read one after the
 * other, so while threads record the sum can hold a value that is not counted yet, and the other way round. Counts wrap
 * around at 64 bits.
 */
public final class PerCpuBuckets {
    static {
        // Not in the first update, which may come when the heap is full.
        Sums.initialize();
        Sums.initializePairs();
    }

    private static final int FIRST_BUCKET = 1;

    /** The name and the length. */
    private final String text;

    private final int length;

    /** Where the sum lies in each CPU's place; the counts are behind it. Tests look there too. */
    final int position;

    /**
     * Creates buckets that are empty.
     *
     * @param length how many buckets
     * @throws NegativeArraySizeException if the length is negative
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuBuckets(int length) {
        this(new Label("a PerCpuBuckets"), length);
    }

    /**
     * Creates buckets that are empty, and gives them a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param length how many buckets
     * @throws NegativeArraySizeException if the length is negative
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuBuckets(String name, int length) {
        this(Label.named(name), length);
        Registry.add(name, "PerCpuBuckets", this, PerCpuBuckets::values);
    }

    private PerCpuBuckets(Label label, int length) {
        this.text = label.ofLength(length).text();
        this.length = length;
        this.position = Area.allocateFor(this, (FIRST_BUCKET + (long) length) * Long.BYTES, Long.BYTES, text);
    }

    /** How many buckets there are. */
    public int length() {
        return length;
    }

    /**
     * Counts a value once.
     *
     * @throws IndexOutOfBoundsException if there is no such bucket; then nothing is done
     */
    public void record(int bucket, double value) {
        // One comparison, as in Objects.checkIndex, whose message would not say which buckets.
        if (Integer.compareUnsigned(bucket, length) >= 0) {
            throw new IndexOutOfBoundsException("bucket " + bucket + " is out of bounds for " + this);
        }
        Sums.addLongAndDouble(this, position(bucket), 1, position, value);
    }

    /** How many values were recorded, by bucket; not an atomic snapshot while threads record. */
    public long[] counts() {
        try {
            return AdjacentNumbers.sums(position(0), length);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The sum of the values; not an atomic snapshot while threads record. */
    public double sum() {
        try {
            return Sums.sumOfDoubles(position, 0);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private List<Value> values() {
        try {
            long[] counts = AdjacentNumbers.totals(position(0), length);
            double[] sums = new double[Area.CPUS];
            Arrays.setAll(sums, cpu -> Double.longBitsToDouble(AdjacentNumbers.read(cpu, position, 1)[0]));
            return List.of(
                    Values.sum("count", counts), Values.sum("sum", sums, Sums.sumOfDoubles(position, Area.SPARE)));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private long position(int bucket) {
        return position + (long) (FIRST_BUCKET + bucket) * Long.BYTES;
    }

    /** The name and the length. */
    @Override
    public String toString() {
        return text;
    }
}

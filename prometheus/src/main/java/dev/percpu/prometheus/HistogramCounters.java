package dev.percpu.prometheus;

import dev.percpu.concurrent.PerCpuBuckets;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.Exemplars;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.NativeHistogramBuckets;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which counter an observation goes to. There is one for each pair of a classic and a native bucket that some value was
 * in. So an observation is one addition to one counter, and what a scrape says of classic buckets and what it says of
 * native ones are sums of the same counts: they always agree.
 *
 * <p>Instances do not change, but for the counts. A new counter, a coarser schema or a wider zero bucket is another
 * instance over the same counts: a counter keeps its number, and only what it stands for changes. So a thread that
 * still has an older instance counts what will be found.
 */
final class HistogramCounters {
    private static final int FIRST_LENGTH = 32;

    /** See {@link #place}. */
    private static final int SPREAD = 8;

    /** What the lowest two bits of a native bucket's code say. The others are its index. */
    private static final int ZERO = 0;

    private static final int POSITIVE = 1;
    private static final int NEGATIVE = 2;
    private static final int KINDS = 2;

    private final HistogramSettings settings;
    private final ClassicBounds classic;

    /** Null for a classic histogram. */
    private final @Nullable NativeSchema schema;

    private final double zeroThreshold;

    /** What the counters stand for: the code of a native bucket, and in the lower half the number of a classic one. */
    private final long[] keys;

    /**
     * The counts, and the sum of what was counted. A counter's number is its index in each of the arrays that is long
     * enough. The last one is counted in. It is longer than those before it, which once were too short.
     */
    private final PerCpuBuckets[] arrays;

    /** The last array. */
    private final PerCpuBuckets counts;

    private final long createdMillis;

    /** A hash table of the keys: which counter has a key, plus 1; 0 where there is none. */
    private final long[] tableKeys;

    private final int[] tableCounters;

    private HistogramCounters(
            HistogramSettings settings,
            @Nullable NativeSchema schema,
            double zeroThreshold,
            long[] keys,
            PerCpuBuckets[] arrays,
            long createdMillis) {
        this.settings = settings;
        this.classic = settings.classic();
        this.schema = schema;
        this.zeroThreshold = zeroThreshold;
        this.keys = keys;
        this.arrays = arrays;
        this.counts = arrays[arrays.length - 1];
        this.createdMillis = createdMillis;
        // At most a third is used.
        int bits = Long.SIZE - Long.numberOfLeadingZeros(3L * keys.length + 1);
        tableKeys = new long[1 << bits];
        tableCounters = new int[1 << bits];
        for (int counter = 0; counter < keys.length; counter++) {
            int place = place(keys[counter]);
            // After a merger several have the same key; the first of them is taken.
            if (tableCounters[place] == 0) {
                tableKeys[place] = keys[counter];
                tableCounters[place] = counter + 1;
            }
        }
    }

    /** Counters that are all 0. */
    static HistogramCounters create(HistogramSettings settings) {
        // A classic histogram has the number of a bucket as that of its counter.
        boolean classicOnly = settings.schema() == null;
        int length = classicOnly ? settings.classic().count() : FIRST_LENGTH;
        long[] keys = new long[classicOnly ? length : 0];
        Arrays.setAll(keys, bucket -> bucket);
        return new HistogramCounters(
                settings,
                settings.schema(),
                settings.minZeroThreshold(),
                keys,
                new PerCpuBuckets[] {new PerCpuBuckets(length)},
                System.currentTimeMillis());
    }

    /** The counter of a value that is not NaN, or -1 if it has none yet. */
    int counterOf(double value) {
        return schema == null ? classic.bucketOf(value) : tableCounters[place(key(schema, value))] - 1;
    }

    private long key(NativeSchema schema, double value) {
        int code;
        if (value > zeroThreshold) {
            code = schema.indexOf(value) << KINDS | POSITIVE;
        } else if (value < -zeroThreshold) {
            code = schema.indexOf(-value) << KINDS | NEGATIVE;
        } else {
            code = ZERO;
        }
        return (long) code << Integer.SIZE | classic.bucketOf(value);
    }

    /**
     * Where a key is in the table, or where it would be. Native buckets that are in use mostly lie side by side, and a
     * bound of a classic bucket cuts few of them in two. So neighbours have places of their own if the place is twice
     * the index, or one more for every other classic bucket: then nobody has to try a second place, which no processor
     * could predict. What is above that range is added, as indexes can also be multiples of the table's length.
     */
    private int place(long key) {
        long spread = (key >> (Integer.SIZE + 1)) + (key & 1);
        int place = (int) (spread + (spread >> SPREAD)) & (tableKeys.length - 1);
        while (tableCounters[place] != 0 && tableKeys[place] != key) {
            place = (place + 1) & (tableKeys.length - 1);
        }
        return place;
    }

    private static int code(long key) {
        return (int) (key >> Integer.SIZE);
    }

    private static int classicBucket(long key) {
        return (int) key;
    }

    /** Counts a value with its counter. */
    void count(int counter, double value) {
        counts.record(counter, value);
    }

    /** With one more counter, for a value that has none. */
    HistogramCounters withCounterFor(double value) {
        NativeSchema schema = schema();
        long[] more = Arrays.copyOf(keys, keys.length + 1);
        more[keys.length] = key(schema, value);
        if (keys.length < counts.length()) {
            return with(schema, zeroThreshold, more);
        }
        PerCpuBuckets[] moreArrays = Arrays.copyOf(arrays, arrays.length + 1);
        moreArrays[arrays.length] = new PerCpuBuckets(2 * keys.length);
        return new HistogramCounters(settings, schema, zeroThreshold, more, moreArrays, createdMillis);
    }

    /** The same counts under other keys. */
    private HistogramCounters with(NativeSchema schema, double zeroThreshold, long[] keys) {
        return new HistogramCounters(settings, schema, zeroThreshold, keys, arrays, createdMillis);
    }

    /** How many native buckets there are, without the zero bucket. */
    int nativeBuckets() {
        return (int) Arrays.stream(keys)
                .mapToInt(HistogramCounters::code)
                .filter(code -> code != ZERO)
                .distinct()
                .count();
    }

    /** Whether the schema is coarser than at the beginning. */
    boolean isScaledDown() {
        return schema != settings.schema();
    }

    /** Whether there is no coarser schema. Then the number of native buckets has no limit. */
    boolean isCoarsest() {
        return schema().number() == NativeSchema.COARSEST;
    }

    /**
     * With fewer native buckets: a wider zero bucket if that is allowed, else a coarser schema, which there must be.
     */
    HistogramCounters scaledDown() {
        NativeSchema schema = schema();
        int smallest = Arrays.stream(keys)
                .mapToInt(HistogramCounters::code)
                .filter(code -> code != ZERO)
                .map(code -> code >> KINDS)
                .min()
                .orElseThrow();
        double threshold = schema.upperBound(smallest);
        long[] others = keys.clone();
        if (zeroThreshold < settings.maxZeroThreshold() && threshold <= settings.maxZeroThreshold()) {
            for (int counter = 0; counter < others.length; counter++) {
                int code = code(others[counter]);
                if (code != ZERO && code >> KINDS == smallest) {
                    others[counter] = classicBucket(others[counter]);
                }
            }
            return with(schema, threshold, others);
        }
        for (int counter = 0; counter < others.length; counter++) {
            int code = code(others[counter]);
            if (code != ZERO) {
                int coarser = NativeSchema.coarser(code >> KINDS) << KINDS | (code & (POSITIVE | NEGATIVE));
                others[counter] = (long) coarser << Integer.SIZE | classicBucket(others[counter]);
            }
        }
        return with(schema.coarser(), zeroThreshold, others);
    }

    private NativeSchema schema() {
        if (schema == null) {
            throw new IllegalStateException("a classic histogram has all its counters from the beginning");
        }
        return schema;
    }

    /** The counts by counter. */
    private long[] totals() {
        long[] totals = new long[keys.length];
        for (PerCpuBuckets array : arrays) {
            long[] sums = array.counts();
            // Another thread may have added counters that this instance does not know.
            for (int counter = 0; counter < Math.min(sums.length, totals.length); counter++) {
                totals[counter] += sums[counter];
            }
        }
        return totals;
    }

    long count() {
        return Arrays.stream(totals()).sum();
    }

    double sum() {
        double sum = 0;
        for (PerCpuBuckets array : arrays) {
            sum += array.sum();
        }
        return sum;
    }

    HistogramDataPointSnapshot snapshot(Labels labels, Exemplars exemplars) {
        long[] totals = totals();
        long[] byClassic = new long[classic.count()];
        long zero = 0;
        Map<Integer, Long> positive = new TreeMap<>();
        Map<Integer, Long> negative = new TreeMap<>();
        for (int counter = 0; counter < keys.length; counter++) {
            byClassic[classicBucket(keys[counter])] += totals[counter];
            int code = code(keys[counter]);
            if (code == ZERO) {
                zero += totals[counter];
            } else if (totals[counter] != 0) {
                Map<Integer, Long> buckets = (code & POSITIVE) != 0 ? positive : negative;
                buckets.merge(code >> KINDS, totals[counter], Long::sum);
            }
        }
        ClassicHistogramBuckets classicBuckets = settings.exposesClassic()
                ? ClassicHistogramBuckets.of(classic.upper(), byClassic)
                : ClassicHistogramBuckets.EMPTY;
        if (schema == null) {
            return new HistogramDataPointSnapshot(classicBuckets, sum(), labels, exemplars, createdMillis);
        }
        return new HistogramDataPointSnapshot(
                classicBuckets,
                schema.number(),
                zero,
                zeroThreshold,
                buckets(positive),
                buckets(negative),
                sum(),
                labels,
                exemplars,
                createdMillis);
    }

    private static NativeHistogramBuckets buckets(Map<Integer, Long> counts) {
        return NativeHistogramBuckets.of(
                counts.keySet().stream().mapToInt(index -> index).toArray(),
                counts.values().stream().mapToLong(count -> count).toArray());
    }
}

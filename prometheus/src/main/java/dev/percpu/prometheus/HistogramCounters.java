package dev.percpu.prometheus;

import dev.percpu.concurrent.PerCpuBuckets;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.Exemplars;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.NativeHistogramBuckets;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Which counter an observation goes to. There is one for each pair of a classic and a native bucket that some value was
 * in. So an observation is one addition to one counter, and what a scrape says of classic buckets and what it says of
 * native ones are sums of the same counts: they always agree.
 *
 * <p>A counter may be added to an instance; nothing else of it changes, but for the counts. More room, a coarser schema
 * or a wider zero bucket is another instance over the same counts: a counter keeps its number, and only what it stands
 * for changes. So a thread that still has an older instance counts what will be found.
 */
final class HistogramCounters {
    private static final int FIRST_LENGTH = 32;

    /** See {@link #firstPlace}. */
    private static final int SPREAD = 7;

    /** Times this, numbers that are alike have higher halves that are not. */
    private static final long SCATTER = 0x9E3779B97F4A7C15L;

    /**
     * The lowest two bits of a native bucket's code say what it holds, and the others are its index. The code for
     * negative values is the complement of that for their opposites. So it rises with the values too.
     */
    private static final int KINDS = 2;

    private static final int KIND = (1 << KINDS) - 1;
    private static final int POSITIVE = 1;
    private static final int NEGATIVE = ~POSITIVE & KIND;

    /** The code of the zero bucket, the only one of its kind. No code is 0, so no key is {@link #NONE}. */
    private static final int ZERO = 3;

    /** What is in the table where there is no key. */
    private static final long NONE = 0;

    private final HistogramSettings settings;
    private final ClassicBounds classic;

    /** Null for a classic histogram: a counter's number is that of its bucket, without keys and a table. */
    private final @Nullable NativeSchema schema;

    private final double zeroThreshold;

    /**
     * What the counters stand for: the code of a native bucket, and in the lower half the number of a classic one. It
     * can be longer than there are counters.
     */
    private final long[] keys;

    /** How many of the keys there are. */
    private volatile int size;

    /** See {@link #nativeBuckets()}. Used under the data point's lock. */
    private int nativeBuckets;

    /**
     * The counts, and the sum of what was counted. A counter's number is its index in each of the arrays that is long
     * enough. The last one is counted in. It is longer than those before it, which once were too short.
     */
    private final PerCpuBuckets[] arrays;

    /** The last array. */
    private final PerCpuBuckets counts;

    private final long createdMillis;

    /** A hash table of the keys. Tests look there too. */
    final long[] tableKeys;

    /** Which counter has the key that is at the same place. */
    private final int[] tableCounters;

    /** With the first so many of the keys, and with room for at least one more. */
    private HistogramCounters(
            HistogramSettings settings,
            @Nullable NativeSchema schema,
            double zeroThreshold,
            long[] keys,
            int size,
            PerCpuBuckets[] arrays,
            long createdMillis) {
        this.settings = settings;
        this.classic = settings.classic();
        this.schema = schema;
        this.zeroThreshold = zeroThreshold;
        this.arrays = arrays;
        this.counts = arrays[arrays.length - 1];
        this.createdMillis = createdMillis;
        // At most a third of the table is used.
        int places = schema == null ? 0 : 2 * Integer.highestOneBit(3 * (size + 1));
        this.keys = Arrays.copyOf(keys, places / 3);
        this.size = size;
        tableKeys = new long[places];
        tableCounters = new int[places];
        for (int counter = 0; counter < size; counter++) {
            enter(counter);
        }
        if (isLimited()) {
            nativeBuckets = (int) Arrays.stream(keys, 0, size)
                    .mapToInt(HistogramCounters::code)
                    .filter(code -> code != ZERO)
                    .distinct()
                    .count();
        }
    }

    /** Counters that are all 0. */
    static HistogramCounters create(HistogramSettings settings) {
        int length = settings.schema() == null ? settings.classic().count() : FIRST_LENGTH;
        return new HistogramCounters(
                settings,
                settings.schema(),
                settings.minZeroThreshold(),
                new long[0],
                0,
                new PerCpuBuckets[] {new PerCpuBuckets(length)},
                System.currentTimeMillis());
    }

    /** The counter of a value that is not NaN, or -1 if it has none yet. */
    int counterOf(double value) {
        if (schema == null) {
            return classic.bucketOf(value);
        }
        long key = key(schema, value);
        int place = firstPlace(key);
        while (tableKeys[place] != key) {
            if (tableKeys[place] == NONE) {
                return -1;
            }
            place = nextPlace(key, place);
        }
        // The number of the counter was written before the key: see add.
        VarHandle.acquireFence();
        return tableCounters[place];
    }

    private long key(NativeSchema schema, double value) {
        int code;
        if (value > zeroThreshold) {
            code = schema.indexOf(value) << KINDS | POSITIVE;
        } else if (value < -zeroThreshold) {
            code = ~(schema.indexOf(-value) << KINDS | POSITIVE);
        } else {
            code = ZERO;
        }
        return key(code, classic.bucketOf(value));
    }

    /**
     * Where in the table a key is looked for first. Buckets in use mostly lie side by side: from one pair to the next,
     * along rising values, the classic index, the native one, or both grow by 1. So their sum differs from pair to pair
     * and has few gaps, and most keys are found at the first look. (A processor could not predict a second one.) The
     * sum is doubled: negative values have the odd places. Its upper bits are added, since indexes can be multiples of
     * the table's length.
     */
    int firstPlace(long key) {
        int spread = (int) (key >> (Integer.SIZE + 1)) + 2 * classicBucket(key);
        return (spread + (spread >> SPREAD)) & (tableKeys.length - 1);
    }

    /**
     * Where a key is looked for next. Each goes its own way, as pairs that lie side by side would all have to pass the
     * others. An odd step reaches every place.
     */
    int nextPlace(long key, int place) {
        return (place + ((int) ((key * SCATTER) >>> Integer.SIZE) | 1)) & (tableKeys.length - 1);
    }

    private static long key(int code, int classicBucket) {
        return (long) code << Integer.SIZE | classicBucket;
    }

    private static int code(long key) {
        return (int) (key >> Integer.SIZE);
    }

    private static int classicBucket(long key) {
        return (int) key;
    }

    private static boolean isNegative(int code) {
        return (code & KIND) == NEGATIVE;
    }

    /** The index of a native bucket that is not the zero bucket. */
    private static int index(int code) {
        return (isNegative(code) ? ~code : code) >> KINDS;
    }

    /** Counts a value with its counter. */
    void count(int counter, double value) {
        counts.record(counter, value);
    }

    /**
     * With one more counter, for a value that has none. It is this instance, if that has room. Called under the data
     * point's lock, with the newest instance.
     */
    HistogramCounters withCounterFor(double value) {
        HistogramCounters roomy = size < Math.min(keys.length, counts.length()) ? this : longer();
        roomy.add(key(schema(), value));
        return roomy;
    }

    /** The same with more room. */
    private HistogramCounters longer() {
        PerCpuBuckets[] longer = arrays;
        if (size == counts.length()) {
            longer = Arrays.copyOf(arrays, arrays.length + 1);
            longer[arrays.length] = new PerCpuBuckets(2 * size);
        }
        return new HistogramCounters(settings, schema, zeroThreshold, keys, size, longer, createdMillis);
    }

    /*
     * Other threads scrape and look for counters meanwhile, without the lock. Those that find the new key in the table
     * count with its counter. Each step needs the one before it:
     *
     *   1. the key is among the keys
     *   2. the size includes it: scrapes know the counter
     *   3. the table has the number of the counter
     *   4. the table has the key: others count with the counter
     *
     * With 4 before 2, a thread could count, and then make a scrape that leaves its value out. With 4 before 3, it
     * could count with counter 0. Hence the fences here and in counterOf. A place in the table changes only once.
     * Whoever does not see that yet takes the key for a new one, and looks again under the lock.
     */
    private void add(long key) {
        boolean newBucket = isLimited() && code(key) != ZERO && !hasNativeBucket(code(key));
        int counter = size;
        keys[counter] = key;
        size = counter + 1;
        if (newBucket) {
            nativeBuckets++;
        }
        enter(counter);
    }

    private void enter(int counter) {
        long key = keys[counter];
        int place = firstPlace(key);
        while (tableKeys[place] != NONE) {
            // After a merger several have the same key; the first of them is taken.
            if (tableKeys[place] == key) {
                return;
            }
            place = nextPlace(key, place);
        }
        tableCounters[place] = counter;
        VarHandle.releaseFence();
        tableKeys[place] = key;
    }

    private boolean hasNativeBucket(int code) {
        // One pass over a few hundred numbers, as the limit holds.
        for (int counter = 0; counter < size; counter++) {
            if (code(keys[counter]) == code) {
                return true;
            }
        }
        return false;
    }

    /** How many native buckets there are, without the zero bucket; 0 where there may be any number. */
    int nativeBuckets() {
        return nativeBuckets;
    }

    private boolean isLimited() {
        return settings.maxBuckets() > 0;
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
        int smallest = Arrays.stream(keys, 0, size)
                .mapToInt(HistogramCounters::code)
                .filter(code -> code != ZERO)
                .map(HistogramCounters::index)
                .min()
                .orElseThrow();
        double threshold = schema.upperBound(smallest);
        if (zeroThreshold < settings.maxZeroThreshold() && threshold <= settings.maxZeroThreshold()) {
            return with(schema, threshold, code -> index(code) == smallest ? ZERO : code);
        }
        return with(schema.coarser(), zeroThreshold, HistogramCounters::coarser);
    }

    private static int coarser(int code) {
        int coarser = NativeSchema.coarser(index(code)) << KINDS | POSITIVE;
        return isNegative(code) ? ~coarser : coarser;
    }

    /** The same counts under other codes. The zero bucket keeps its own. */
    private HistogramCounters with(NativeSchema schema, double zeroThreshold, IntUnaryOperator codes) {
        long[] others = keys.clone();
        for (int counter = 0; counter < size; counter++) {
            int code = code(others[counter]);
            if (code != ZERO) {
                others[counter] = key(codes.applyAsInt(code), classicBucket(others[counter]));
            }
        }
        return new HistogramCounters(settings, schema, zeroThreshold, others, size, arrays, createdMillis);
    }

    private NativeSchema schema() {
        if (schema == null) {
            throw new IllegalStateException("a classic histogram has all its counters from the beginning");
        }
        return schema;
    }

    /** The counts by counter. */
    private long[] totals() {
        long[] totals = new long[schema == null ? classic.count() : size];
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
        if (schema == null) {
            return new HistogramDataPointSnapshot(
                    ClassicHistogramBuckets.of(classic.upper(), totals), sum(), labels, exemplars, createdMillis);
        }
        long[] byClassic = new long[classic.count()];
        long zero = 0;
        Map<Integer, Long> positive = new TreeMap<>();
        Map<Integer, Long> negative = new TreeMap<>();
        for (int counter = 0; counter < totals.length; counter++) {
            byClassic[classicBucket(keys[counter])] += totals[counter];
            int code = code(keys[counter]);
            if (code == ZERO) {
                zero += totals[counter];
            } else if (totals[counter] != 0) {
                Map<Integer, Long> buckets = isNegative(code) ? negative : positive;
                buckets.merge(index(code), totals[counter], Long::sum);
            }
        }
        ClassicHistogramBuckets classicBuckets = settings.exposesClassic()
                ? ClassicHistogramBuckets.of(classic.upper(), byClassic)
                : ClassicHistogramBuckets.EMPTY;
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

package dev.percpu.caffeine;

import com.github.benmanes.caffeine.cache.RemovalCause;
import com.github.benmanes.caffeine.cache.stats.CacheStats;
import com.github.benmanes.caffeine.cache.stats.ConcurrentStatsCounter;
import com.github.benmanes.caffeine.cache.stats.StatsCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.memory.AreaFullException;
import java.util.List;
import java.util.Objects;

/**
 * The statistics of a Caffeine cache, kept per CPU.
 *
 * <pre>{@code
 * Cache<String, byte[]> cache =
 *         Caffeine.newBuilder().maximumSize(10_000).recordStats(PerCpuStatsCounter::new).build();
 * }</pre>
 *
 * <p>It counts what Caffeine's own {@link ConcurrentStatsCounter} counts, and gives the same {@link #snapshot}.
 * The seven counts take 56 bytes for each CPU and for each hot thread, and their memory is given back once the
 * cache is unreachable.
 *
 * <p>Each count is exact: once the recording threads are done, a snapshot has every event once. While they record, a
 * snapshot is not atomic. It can have the count of a load and not yet its time. A count that exceeds
 * {@link Long#MAX_VALUE} shows as that value until it wraps around again.
 */
public final class PerCpuStatsCounter implements StatsCounter {

    private static final int HITS = 0;
    private static final int MISSES = 1;
    private static final int LOAD_SUCCESSES = 2;
    private static final int LOAD_FAILURES = 3;
    private static final int LOAD_TIME = 4;
    private static final int EVICTIONS = 5;
    private static final int EVICTED_WEIGHT = 6;
    private static final int COUNTS = 7;

    /** For listings, by index: as {@link CacheStats} calls them. */
    private static final List<String> NAMES = List.of(
            "hitCount",
            "missCount",
            "loadSuccessCount",
            "loadFailureCount",
            "totalLoadTime",
            "evictionCount",
            "evictionWeight");

    private final PerCpuCounterArray counts;

    /**
     * Creates a counter of nothing so far.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuStatsCounter() {
        counts = new PerCpuCounterArray(COUNTS);
    }

    /**
     * Creates a counter of nothing so far, and gives it a name. A listing has each count under its name in
     * {@link CacheStats}, for example {@code hitCount}.
     *
     * @param name for messages and listings, such as the cache's, not blank; it need not be unique
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuStatsCounter(String name) {
        counts = new PerCpuCounterArray(name, NAMES);
    }

    @Override
    public void recordHits(int count) {
        counts.add(HITS, count);
    }

    @Override
    public void recordMisses(int count) {
        counts.add(MISSES, count);
    }

    @Override
    public void recordLoadSuccess(long loadTime) {
        counts.add(LOAD_SUCCESSES, 1, LOAD_TIME, loadTime);
    }

    @Override
    public void recordLoadFailure(long loadTime) {
        counts.add(LOAD_FAILURES, 1, LOAD_TIME, loadTime);
    }

    @Override
    public void recordEviction(int weight, RemovalCause cause) {
        Objects.requireNonNull(cause);
        counts.add(EVICTIONS, 1, EVICTED_WEIGHT, weight);
    }

    @Override
    public CacheStats snapshot() {
        long[] sums = counts.sums();
        return CacheStats.of(
                saturated(sums[HITS]),
                saturated(sums[MISSES]),
                saturated(sums[LOAD_SUCCESSES]),
                saturated(sums[LOAD_FAILURES]),
                saturated(sums[LOAD_TIME]),
                saturated(sums[EVICTIONS]),
                saturated(sums[EVICTED_WEIGHT]));
    }

    /** Adds all that another counter has counted. */
    public void incrementBy(StatsCounter other) {
        CacheStats stats = other.snapshot();
        counts.add(HITS, stats.hitCount());
        counts.add(MISSES, stats.missCount());
        counts.add(LOAD_SUCCESSES, stats.loadSuccessCount());
        counts.add(LOAD_FAILURES, stats.loadFailureCount());
        counts.add(LOAD_TIME, stats.totalLoadTime());
        counts.add(EVICTIONS, stats.evictionCount());
        counts.add(EVICTED_WEIGHT, stats.evictionWeight());
    }

    /** The snapshot as text. */
    @Override
    public String toString() {
        return snapshot().toString();
    }

    /** {@link CacheStats} refuses negative counts; Caffeine's own counter has this value for them too. */
    private static long saturated(long count) {
        return count >= 0 ? count : Long.MAX_VALUE;
    }
}

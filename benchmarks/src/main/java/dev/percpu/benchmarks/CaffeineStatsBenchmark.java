package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import com.github.benmanes.caffeine.cache.stats.CacheStats;
import com.github.benmanes.caffeine.cache.stats.ConcurrentStatsCounter;
import com.github.benmanes.caffeine.cache.stats.StatsCounter;
import dev.percpu.benchmarks.measure.Role;
import dev.percpu.caffeine.PerCpuStatsCounter;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * What do the statistics of a Caffeine cache cost for each hit, and for each load?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar CaffeineStatsBenchmark -t 1
 * java -jar benchmarks/target/benchmarks.jar CaffeineStatsBenchmark -t 2
 * </pre>
 */
public class CaffeineStatsBenchmark extends CountingComparison {
    private static final long LOAD_NANOS = 1_000_000;

    private final PerCpuStatsCounter perCpu = new PerCpuStatsCounter();
    private final ConcurrentStatsCounter caffeine = new ConcurrentStatsCounter();

    @Benchmark
    @Role(value = OURS, task = "record a hit", label = "`percpu-caffeine`")
    public void perCpuRecordHits() {
        perCpu.recordHits(1);
    }

    @Benchmark
    @Role(value = PEER, task = "record a hit", label = "Caffeine's `ConcurrentStatsCounter`")
    public void caffeineRecordHits() {
        caffeine.recordHits(1);
    }

    @Benchmark
    @Role(value = OURS, task = "record a load", label = "`percpu-caffeine`")
    public void perCpuRecordLoadSuccess() {
        perCpu.recordLoadSuccess(LOAD_NANOS);
    }

    @Benchmark
    @Role(value = PEER, task = "record a load", label = "Caffeine's `ConcurrentStatsCounter`")
    public void caffeineRecordLoadSuccess() {
        caffeine.recordLoadSuccess(LOAD_NANOS);
    }

    @Override
    long total() {
        return total(perCpu) + total(caffeine);
    }

    private static long total(StatsCounter counter) {
        CacheStats stats = counter.snapshot();
        checkEqual("the time of all loads", stats.loadSuccessCount() * LOAD_NANOS, stats.totalLoadTime());
        return stats.hitCount() + stats.loadSuccessCount();
    }
}

package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuSummary;
import java.util.LongSummaryStatistics;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * What does it cost to keep count, sum, least and greatest of the values that all threads record?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar SummaryBenchmark -t 1 -prof gc
 * java -jar benchmarks/target/benchmarks.jar SummaryBenchmark -t 2 -prof gc
 * </pre>
 */
public class SummaryBenchmark extends CountingComparison {
    private final PerCpuSummary perCpu = new PerCpuSummary();
    private final LongSummaryStatistics statistics = new LongSummaryStatistics();
    private final LongAdder count = new LongAdder();
    private final LongAdder sum = new LongAdder();
    private final LongAccumulator least = new LongAccumulator(Math::min, Long.MAX_VALUE);
    private final LongAccumulator greatest = new LongAccumulator(Math::max, Long.MIN_VALUE);

    @Benchmark
    @Role(value = OURS, label = "`PerCpuSummary.accept`")
    public void perCpuSummary(Latencies latencies) {
        perCpu.accept(latencies.nextNanos());
    }

    @Benchmark
    @Role(value = PEER, label = "`synchronized` `LongSummaryStatistics`")
    public void synchronizedStatistics(Latencies latencies) {
        long nanos = latencies.nextNanos();
        synchronized (statistics) {
            statistics.accept(nanos);
        }
    }

    @Benchmark
    @Role(value = PEER, label = "two `LongAdder`s and two `LongAccumulator`s")
    public void adders(Latencies latencies) {
        long nanos = latencies.nextNanos();
        count.increment();
        sum.add(nanos);
        least.accumulate(nanos);
        greatest.accumulate(nanos);
    }

    @Override
    void check(String benchmark, long operations) {
        super.check(benchmark, operations);
        PerCpuSummary.Result result = perCpu.summary();
        checkEqual("the sum", Latencies.sum(), result.sum() + statistics.getSum() + sum.sum());
        checkEqual("the least", Latencies.least(), Math.min(result.min(), Math.min(statistics.getMin(), least.get())));
        checkEqual(
                "the greatest",
                Latencies.greatest(),
                Math.max(result.max(), Math.max(statistics.getMax(), greatest.get())));
    }

    @Override
    long total() {
        return perCpu.summary().count() + statistics.getCount() + count.sum();
    }
}

package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.Role.Kind.OURS;
import static dev.percpu.benchmarks.Role.Kind.PEER;

import dev.percpu.concurrent.PerCpuAccumulator;
import java.util.concurrent.atomic.LongAccumulator;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * What does it cost to combine a value into one accumulator that all threads share: one that changes it, and one that
 * does not, as most values below a maximum?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar CounterBenchmarkAccumulate -t 2 -prof gc
 * </pre>
 */
public class CounterBenchmarkAccumulate extends Comparison {
    private final PerCpuAccumulator perCpuSum = new PerCpuAccumulator(Long::sum, 0);
    private final PerCpuAccumulator perCpuMax = new PerCpuAccumulator(Math::max, Long.MIN_VALUE);
    private final LongAccumulator sum = new LongAccumulator(Long::sum, 0);
    private final LongAccumulator max = new LongAccumulator(Math::max, Long.MIN_VALUE);

    @Benchmark
    @Role(value = OURS, task = "sum", label = "`PerCpuAccumulator.accumulate`")
    public void perCpuAccumulateSum() {
        perCpuSum.accumulate(1);
    }

    @Benchmark
    @Role(value = OURS, task = "maximum", label = "`PerCpuAccumulator.accumulate`")
    public void perCpuAccumulateMax(Latencies latencies) {
        perCpuMax.accumulate(latencies.nextNanos());
    }

    @Benchmark
    @Role(value = PEER, task = "sum", label = "`LongAccumulator.accumulate`")
    public void longAccumulatorSum() {
        sum.accumulate(1);
    }

    @Benchmark
    @Role(value = PEER, task = "maximum", label = "`LongAccumulator.accumulate`")
    public void longAccumulatorMax(Latencies latencies) {
        max.accumulate(latencies.nextNanos());
    }

    @Override
    void check(String benchmark, long operations) {
        boolean sums = benchmark.endsWith("Sum");
        checkEqual("the sum", sums ? operations : 0, perCpuSum.get() + sum.get());
        checkEqual("the maximum", sums ? Long.MIN_VALUE : Latencies.greatest(), Math.max(perCpuMax.get(), max.get()));
    }
}

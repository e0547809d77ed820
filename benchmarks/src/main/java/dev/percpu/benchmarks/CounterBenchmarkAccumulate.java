package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import java.util.concurrent.atomic.DoubleAccumulator;
import java.util.concurrent.atomic.LongAccumulator;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * What does it cost to combine a value into one accumulator that all threads share: one that changes it, and one that
 * does not, as most values below a maximum; and what if they are doubles?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar CounterBenchmarkAccumulate -t 2 -prof gc
 * </pre>
 */
public class CounterBenchmarkAccumulate extends Comparison {
    private final PerCpuAccumulator perCpuSum = new PerCpuAccumulator(Long::sum, 0);
    private final PerCpuAccumulator perCpuMax = new PerCpuAccumulator(Math::max, Long.MIN_VALUE);
    private final PerCpuDoubleAccumulator perCpuDouble =
            new PerCpuDoubleAccumulator(Math::max, Double.NEGATIVE_INFINITY);
    private final DoubleAccumulator ofDoubles = new DoubleAccumulator(Math::max, Double.NEGATIVE_INFINITY);
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

    @Benchmark
    @Role(value = OURS, task = "maximum of doubles", label = "`PerCpuDoubleAccumulator.accumulate`")
    public void perCpuAccumulateDouble(Latencies latencies) {
        perCpuDouble.accumulate(latencies.nextSeconds());
    }

    @Benchmark
    @Role(value = PEER, task = "maximum of doubles", label = "`DoubleAccumulator.accumulate`")
    public void doubleAccumulatorDouble(Latencies latencies) {
        ofDoubles.accumulate(latencies.nextSeconds());
    }

    @Override
    void check(String benchmark, long operations) {
        checkEqual("the sum", benchmark.endsWith("Sum") ? operations : 0, perCpuSum.get() + sum.get());
        checkEqual(
                "the maximum",
                benchmark.endsWith("Max") ? Latencies.greatest() : Long.MIN_VALUE,
                Math.max(perCpuMax.get(), max.get()));
        if (benchmark.endsWith("Double")) {
            checkNear(
                    "the maximum of the doubles",
                    Latencies.greatestInSeconds(),
                    Math.max(perCpuDouble.get(), ofDoubles.get()),
                    0);
        }
    }
}

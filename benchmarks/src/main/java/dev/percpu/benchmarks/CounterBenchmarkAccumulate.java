package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.Role.Kind.OURS;
import static dev.percpu.benchmarks.Role.Kind.PEER;

import dev.percpu.concurrent.PerCpuAccumulator;
import java.util.concurrent.atomic.LongAccumulator;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

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

    /** Each thread's own values, of which few are larger than all before. */
    @State(Scope.Thread)
    public static class Values {
        private long last;

        long next() {
            last = last * 6364136223846793005L + 1442695040888963407L;
            return last >> 1;
        }
    }

    @Benchmark
    @Role(value = OURS, task = "sum", label = "`PerCpuAccumulator.accumulate`")
    public void perCpuAccumulateSum() {
        perCpuSum.accumulate(1);
    }

    @Benchmark
    @Role(value = OURS, task = "maximum", label = "`PerCpuAccumulator.accumulate`")
    public void perCpuAccumulateMax(Values values) {
        perCpuMax.accumulate(values.next());
    }

    @Benchmark
    @Role(value = PEER, task = "sum", label = "`LongAccumulator.accumulate`")
    public void longAccumulatorSum() {
        sum.accumulate(1);
    }

    @Benchmark
    @Role(value = PEER, task = "maximum", label = "`LongAccumulator.accumulate`")
    public void longAccumulatorMax(Values values) {
        max.accumulate(values.next());
    }
}

package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.NOT_COMPARABLE;
import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * What does it cost to count requests of four kinds, which come in random order, each with five updates of its kind's
 * own variables?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar EventBenchmarkSeveral -t 1 -prof gc
 * java -jar benchmarks/target/benchmarks.jar EventBenchmarkSeveral -t 2 -prof gc
 * </pre>
 *
 * <p>The updates are those of {@link EventBenchmark}. Each event has code of its own, so the processor has to guess
 * which one is next. {@link #perCpuOneByOne} and the peers run the same code for all kinds. All are in arrays, so none
 * is a constant to the JIT compiler.
 */
public class EventBenchmarkSeveral extends CountingComparison {
    private static final int KINDS = 4;

    private static final RequestMetrics.PerCpu[] PER_CPU =
            Stream.generate(RequestMetrics.PerCpu::create).limit(KINDS).toArray(RequestMetrics.PerCpu[]::new);
    private static final RequestMetrics.Adders[] ADDERS =
            Stream.generate(RequestMetrics.Adders::create).limit(KINDS).toArray(RequestMetrics.Adders[]::new);
    private static final RequestMetrics.UnderLock[] UNDER_LOCK =
            Stream.generate(RequestMetrics.UnderLock::new).limit(KINDS).toArray(RequestMetrics.UnderLock[]::new);

    /** A latency's last bits are as good as random. */
    private static int kindOf(long nanos) {
        return (int) nanos & (KINDS - 1);
    }

    @Benchmark
    @Role(value = OURS, label = "`PerCpuEvent.record`, four events")
    public void perCpuEvent(Latencies latency) {
        long nanos = latency.nextNanos();
        PER_CPU[kindOf(nanos)].record(nanos);
    }

    @Benchmark
    @Role(value = NOT_COMPARABLE, label = "the five updates one by one")
    public void perCpuOneByOne(Latencies latency) {
        long nanos = latency.nextNanos();
        PER_CPU[kindOf(nanos)].recordOneByOne(nanos);
    }

    @Benchmark
    @Role(value = PEER, label = "four `LongAdder`s and a `LongAccumulator` for each kind")
    public void adders(Latencies latency) {
        long nanos = latency.nextNanos();
        ADDERS[kindOf(nanos)].record(nanos);
    }

    @Benchmark
    @Role(value = PEER, label = "plain fields and a `ReentrantLock` for each kind")
    public void underLock(Latencies latency) {
        long nanos = latency.nextNanos();
        UNDER_LOCK[kindOf(nanos)].record(nanos);
    }

    @Override
    void check(String benchmark, long operations) {
        super.check(benchmark, operations);
        totals().check(operations);
    }

    @Override
    long total() {
        return totals().requests();
    }

    private static RequestMetrics.Totals totals() {
        return RequestMetrics.Totals.of(Stream.of(
                        Stream.of(PER_CPU).map(RequestMetrics.PerCpu::totals),
                        Stream.of(ADDERS).map(RequestMetrics.Adders::totals),
                        Stream.of(UNDER_LOCK).map(RequestMetrics.UnderLock::totals))
                .flatMap(totals -> totals));
    }
}

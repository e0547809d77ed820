package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.FLOOR;
import static dev.percpu.benchmarks.measure.Role.Kind.NOT_COMPARABLE;
import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * What does it cost to count a request with five updates: the request, its bytes, its latency's bucket, the sum of the
 * latencies and the greatest latency? All threads share the variables.
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar EventBenchmark -t 1 -prof gc
 * java -jar benchmarks/target/benchmarks.jar EventBenchmark -t 2 -prof gc
 * </pre>
 *
 * <p>Both sides find the bucket the same way, and both are constants to the JIT compiler. {@link #perCpuOneByOne} makes
 * the same updates by the variables' own methods. There is one event here, so the processor knows what comes next:
 * {@link EventBenchmarkSeveral} has four.
 */
public class EventBenchmark extends CountingComparison {
    private static final RequestMetrics.PerCpu PER_CPU = RequestMetrics.PerCpu.create();
    private static final RequestMetrics.Adders ADDERS = RequestMetrics.Adders.create();
    private static final RequestMetrics.UnderLock UNDER_LOCK = new RequestMetrics.UnderLock();

    @Benchmark
    @Role(value = OURS, label = "`PerCpuEvent.record`, five updates")
    public void perCpuEvent(Latencies latency) {
        PER_CPU.record(latency.nextNanos());
    }

    @Benchmark
    @Role(value = NOT_COMPARABLE, label = "the five updates one by one")
    public void perCpuOneByOne(Latencies latency) {
        PER_CPU.recordOneByOne(latency.nextNanos());
    }

    @Benchmark
    @Role(value = PEER, label = "four `LongAdder`s and a `LongAccumulator`")
    public void adders(Latencies latency) {
        ADDERS.record(latency.nextNanos());
    }

    @Benchmark
    @Role(value = PEER, label = "plain fields under a `ReentrantLock`")
    public void underLock(Latencies latency) {
        UNDER_LOCK.record(latency.nextNanos());
    }

    /** What the event's values cost. */
    @Benchmark
    @Role(value = FLOOR, label = "making the values")
    public int valuesAlone(Latencies latency) {
        return RequestMetrics.bucketOf(latency.nextNanos());
    }

    @Override
    boolean counts(String benchmark) {
        return !benchmark.equals("valuesAlone");
    }

    @Override
    void check(String benchmark, long operations) {
        super.check(benchmark, operations);
        if (counts(benchmark)) {
            totals().check(operations);
        }
    }

    @Override
    long total() {
        return totals().requests();
    }

    private static RequestMetrics.Totals totals() {
        return RequestMetrics.Totals.of(Stream.of(PER_CPU.totals(), ADDERS.totals(), UNDER_LOCK.totals()));
    }
}

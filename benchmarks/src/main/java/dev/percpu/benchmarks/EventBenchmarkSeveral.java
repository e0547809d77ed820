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
 * <p>The updates are those of {@link EventBenchmark}. A {@code switch} chooses the kind, and each kind's variables are
 * constants to the JIT compiler, as the page on events recommends. So a hot thread records an event without a native
 * call. All rows have the code of each kind by itself, and in all of them the processor has to guess which comes next.
 *
 * <p>Not measured here: the kinds in an array. Then none is a constant, and the peers and {@link #perCpuOneByOne} run
 * the same code for all kinds, so that the processor has to guess only in the row of the events. The page has figures
 * of that too.
 */
public class EventBenchmarkSeveral extends CountingComparison {
    private static final int KINDS = 4;

    private static final Kind GET = Kind.create();
    private static final Kind PUT = Kind.create();
    private static final Kind POST = Kind.create();
    private static final Kind DELETE = Kind.create();

    /** A kind's variables, each of the ways to keep them. A record, so that a constant one has constant parts. */
    private record Kind(
            RequestMetrics.PerCpu perCpu, RequestMetrics.Adders adders, RequestMetrics.UnderLock underLock) {
        static Kind create() {
            return new Kind(
                    RequestMetrics.PerCpu.create(), RequestMetrics.Adders.create(), new RequestMetrics.UnderLock());
        }

        Stream<RequestMetrics.Totals> totals() {
            return Stream.of(perCpu.totals(), adders.totals(), underLock.totals());
        }
    }

    /** A latency's last bits are as good as random. */
    private static int kindOf(long nanos) {
        return (int) nanos & (KINDS - 1);
    }

    @Benchmark
    @Role(value = OURS, label = "`PerCpuEvent.record`, four events")
    public void perCpuEvent(Latencies latency) {
        long nanos = latency.nextNanos();
        switch (kindOf(nanos)) {
            case 0 -> GET.perCpu.record(nanos);
            case 1 -> PUT.perCpu.record(nanos);
            case 2 -> POST.perCpu.record(nanos);
            default -> DELETE.perCpu.record(nanos);
        }
    }

    @Benchmark
    @Role(value = NOT_COMPARABLE, label = "the five updates one by one")
    public void perCpuOneByOne(Latencies latency) {
        long nanos = latency.nextNanos();
        switch (kindOf(nanos)) {
            case 0 -> GET.perCpu.recordOneByOne(nanos);
            case 1 -> PUT.perCpu.recordOneByOne(nanos);
            case 2 -> POST.perCpu.recordOneByOne(nanos);
            default -> DELETE.perCpu.recordOneByOne(nanos);
        }
    }

    @Benchmark
    @Role(value = PEER, label = "four `LongAdder`s and a `LongAccumulator` for each kind")
    public void adders(Latencies latency) {
        long nanos = latency.nextNanos();
        switch (kindOf(nanos)) {
            case 0 -> GET.adders.record(nanos);
            case 1 -> PUT.adders.record(nanos);
            case 2 -> POST.adders.record(nanos);
            default -> DELETE.adders.record(nanos);
        }
    }

    @Benchmark
    @Role(value = PEER, label = "plain fields and a `ReentrantLock` for each kind")
    public void underLock(Latencies latency) {
        long nanos = latency.nextNanos();
        switch (kindOf(nanos)) {
            case 0 -> GET.underLock.record(nanos);
            case 1 -> PUT.underLock.record(nanos);
            case 2 -> POST.underLock.record(nanos);
            default -> DELETE.underLock.record(nanos);
        }
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
        return RequestMetrics.Totals.of(Stream.of(GET, PUT, POST, DELETE).flatMap(Kind::totals));
    }
}

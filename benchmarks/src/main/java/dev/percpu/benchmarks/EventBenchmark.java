package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.FLOOR;
import static dev.percpu.benchmarks.measure.Role.Kind.NOT_COMPARABLE;
import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;
import static dev.percpu.concurrent.PerCpuEvent.Argument.FIRST;
import static dev.percpu.concurrent.PerCpuEvent.Argument.SECOND;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuEvent;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.LongStream;
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
 * the same updates by the variables' own methods.
 */
public class EventBenchmark extends CountingComparison {
    private static final int BUCKETS = 12;
    private static final int BYTES_EACH = 512;

    private static final PerCpuCounter REQUESTS = new PerCpuCounter();
    private static final PerCpuCounter BYTES = new PerCpuCounter();
    private static final PerCpuCounterArray LATENCIES = new PerCpuCounterArray(BUCKETS);
    private static final PerCpuCounter LATENCY_SUM = new PerCpuCounter();
    private static final PerCpuAccumulator SLOWEST = PerCpuAccumulator.maximum();
    private static final PerCpuEvent SERVED = PerCpuEvent.builder()
            .name("served")
            .increment(REQUESTS)
            .add(BYTES, FIRST)
            .increment(LATENCIES, PerCpuEvent.Argument.THIRD)
            .add(LATENCY_SUM, SECOND)
            .accumulate(SLOWEST, SECOND)
            .build();

    private static final LongAdder REQUEST_ADDER = new LongAdder();
    private static final LongAdder BYTES_ADDER = new LongAdder();
    private static final LongAdder[] LATENCY_ADDERS =
            Stream.generate(LongAdder::new).limit(BUCKETS).toArray(LongAdder[]::new);
    private static final LongAdder LATENCY_SUM_ADDER = new LongAdder();
    private static final LongAccumulator SLOWEST_ACCUMULATOR = new LongAccumulator(Math::max, Long.MIN_VALUE);

    private static final ReentrantLock LOCK = new ReentrantLock();
    private static final PlainFields UNDER_LOCK = new PlainFields();

    /** What a lock guards. */
    private static final class PlainFields {
        private long requests;
        private long bytes;
        private final long[] latencies = new long[BUCKETS];
        private long latencySum;
        private long slowest = Long.MIN_VALUE;
    }

    private static int bucketOf(long nanos) {
        return Math.min(BUCKETS - 1, (Long.SIZE - Long.numberOfLeadingZeros(nanos)) / 4);
    }

    @Benchmark
    @Role(value = OURS, label = "`PerCpuEvent.record`, five updates")
    public void perCpuEvent(Latencies latency) {
        long nanos = latency.nextNanos();
        SERVED.record(BYTES_EACH, nanos, bucketOf(nanos));
    }

    @Benchmark
    @Role(value = NOT_COMPARABLE, label = "the five updates one by one")
    public void perCpuOneByOne(Latencies latency) {
        long nanos = latency.nextNanos();
        REQUESTS.increment();
        BYTES.add(BYTES_EACH);
        LATENCIES.increment(bucketOf(nanos));
        LATENCY_SUM.add(nanos);
        SLOWEST.accumulate(nanos);
    }

    @Benchmark
    @Role(value = PEER, label = "four `LongAdder`s and a `LongAccumulator`")
    public void adders(Latencies latency) {
        long nanos = latency.nextNanos();
        REQUEST_ADDER.increment();
        BYTES_ADDER.add(BYTES_EACH);
        LATENCY_ADDERS[bucketOf(nanos)].increment();
        LATENCY_SUM_ADDER.add(nanos);
        SLOWEST_ACCUMULATOR.accumulate(nanos);
    }

    @Benchmark
    @Role(value = PEER, label = "plain fields under a `ReentrantLock`")
    public void underLock(Latencies latency) {
        long nanos = latency.nextNanos();
        LOCK.lock();
        try {
            UNDER_LOCK.requests++;
            UNDER_LOCK.bytes += BYTES_EACH;
            UNDER_LOCK.latencies[bucketOf(nanos)]++;
            UNDER_LOCK.latencySum += nanos;
            UNDER_LOCK.slowest = Math.max(UNDER_LOCK.slowest, nanos);
        } finally {
            LOCK.unlock();
        }
    }

    /** What the event's values cost. */
    @Benchmark
    @Role(value = FLOOR, label = "making the values")
    public int valuesAlone(Latencies latency) {
        return bucketOf(latency.nextNanos());
    }

    @Override
    boolean counts(String benchmark) {
        return !benchmark.equals("valuesAlone");
    }

    @Override
    void check(String benchmark, long operations) {
        super.check(benchmark, operations);
        if (counts(benchmark)) {
            checkEqual("bytes", operations * BYTES_EACH, BYTES.sum() + BYTES_ADDER.sum() + UNDER_LOCK.bytes);
            checkEqual(
                    "latencies in buckets",
                    operations,
                    LongStream.of(LATENCIES.sums()).sum()
                            + LongStream.of(UNDER_LOCK.latencies).sum()
                            + Stream.of(LATENCY_ADDERS)
                                    .mapToLong(LongAdder::sum)
                                    .sum());
            checkEqual(
                    "the sum of the latencies",
                    Latencies.sum(),
                    LATENCY_SUM.sum() + LATENCY_SUM_ADDER.sum() + UNDER_LOCK.latencySum);
            checkEqual(
                    "the greatest latency",
                    Latencies.greatest(),
                    Math.max(UNDER_LOCK.slowest, Math.max(SLOWEST.get(), SLOWEST_ACCUMULATOR.get())));
        }
    }

    @Override
    long total() {
        return REQUESTS.sum() + REQUEST_ADDER.sum() + UNDER_LOCK.requests;
    }
}

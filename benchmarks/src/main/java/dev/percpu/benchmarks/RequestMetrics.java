package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.Comparison.checkEqual;
import static dev.percpu.concurrent.PerCpuEvent.Argument.FIRST;
import static dev.percpu.concurrent.PerCpuEvent.Argument.SECOND;
import static dev.percpu.concurrent.PerCpuEvent.Argument.THIRD;

import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuEvent;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * What a server counts of its requests, in five updates: the request, its bytes, its latency's bucket, the sum of the
 * latencies and the greatest latency. All ways to keep them find the bucket alike. The first two are records, so one in
 * a {@code static final} field is a constant to the JIT compiler, with all that it refers to. One in an array is not.
 */
final class RequestMetrics {
    private static final int BUCKETS = 12;
    private static final int BYTES_EACH = 512;

    private RequestMetrics() {}

    static int bucketOf(long nanos) {
        return Math.min(BUCKETS - 1, (Long.SIZE - Long.numberOfLeadingZeros(nanos)) / 4);
    }

    /** What was counted in all. */
    record Totals(long requests, long bytes, long inBuckets, long latencySum, long slowest) {
        static Totals of(Stream<Totals> parts) {
            return parts.reduce(
                    new Totals(0, 0, 0, 0, Long.MIN_VALUE),
                    (one, other) -> new Totals(
                            one.requests + other.requests,
                            one.bytes + other.bytes,
                            one.inBuckets + other.inBuckets,
                            one.latencySum + other.latencySum,
                            Math.max(one.slowest, other.slowest)));
        }

        /** Checks all but the number of requests. */
        void check(long operations) {
            checkEqual("bytes", operations * BYTES_EACH, bytes);
            checkEqual("latencies in buckets", operations, inBuckets);
            checkEqual("the sum of the latencies", Latencies.sum(), latencySum);
            checkEqual("the greatest latency", Latencies.greatest(), slowest);
        }
    }

    /** Kept per CPU, and an event that updates all. */
    record PerCpu(
            PerCpuCounter requests,
            PerCpuCounter bytes,
            PerCpuCounterArray latencies,
            PerCpuCounter latencySum,
            PerCpuAccumulator slowest,
            PerCpuEvent served) {
        static PerCpu create() {
            PerCpuCounter requests = new PerCpuCounter();
            PerCpuCounter bytes = new PerCpuCounter();
            PerCpuCounterArray latencies = new PerCpuCounterArray(BUCKETS);
            PerCpuCounter latencySum = new PerCpuCounter();
            PerCpuAccumulator slowest = PerCpuAccumulator.maximum();
            PerCpuEvent served = PerCpuEvent.builder()
                    .increment(requests)
                    .add(bytes, FIRST)
                    .increment(latencies, THIRD)
                    .add(latencySum, SECOND)
                    .accumulate(slowest, SECOND)
                    .build();
            return new PerCpu(requests, bytes, latencies, latencySum, slowest, served);
        }

        void record(long nanos) {
            served.record(BYTES_EACH, nanos, bucketOf(nanos));
        }

        /** The same by the variables' own methods. */
        void recordOneByOne(long nanos) {
            requests.increment();
            bytes.add(BYTES_EACH);
            latencies.increment(bucketOf(nanos));
            latencySum.add(nanos);
            slowest.accumulate(nanos);
        }

        Totals totals() {
            return new Totals(
                    requests.sum(),
                    bytes.sum(),
                    LongStream.of(latencies.sums()).sum(),
                    latencySum.sum(),
                    slowest.get());
        }
    }

    /** Kept in what the JDK has for it. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares them, or gets the array
    record Adders(
            LongAdder requests, LongAdder bytes, LongAdder[] latencies, LongAdder latencySum, LongAccumulator slowest) {
        static Adders create() {
            return new Adders(
                    new LongAdder(),
                    new LongAdder(),
                    Stream.generate(LongAdder::new).limit(BUCKETS).toArray(LongAdder[]::new),
                    new LongAdder(),
                    new LongAccumulator(Math::max, Long.MIN_VALUE));
        }

        void record(long nanos) {
            requests.increment();
            bytes.add(BYTES_EACH);
            latencies[bucketOf(nanos)].increment();
            latencySum.add(nanos);
            slowest.accumulate(nanos);
        }

        Totals totals() {
            return new Totals(
                    requests.sum(),
                    bytes.sum(),
                    Stream.of(latencies).mapToLong(LongAdder::sum).sum(),
                    latencySum.sum(),
                    slowest.get());
        }
    }

    /** Plain fields, which a lock guards. */
    static final class UnderLock {
        private final ReentrantLock lock = new ReentrantLock();
        private final long[] latencies = new long[BUCKETS];
        private long requests;
        private long bytes;
        private long latencySum;
        private long slowest = Long.MIN_VALUE;

        void record(long nanos) {
            lock.lock();
            try {
                requests++;
                bytes += BYTES_EACH;
                latencies[bucketOf(nanos)]++;
                latencySum += nanos;
                slowest = Math.max(slowest, nanos);
            } finally {
                lock.unlock();
            }
        }

        Totals totals() {
            lock.lock();
            try {
                return new Totals(requests, bytes, LongStream.of(latencies).sum(), latencySum, slowest);
            } finally {
                lock.unlock();
            }
        }
    }
}

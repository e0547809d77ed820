package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuBuckets;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * What does it cost to count a value in a bucket of one's own choice, and to add it to the sum, in buckets that all
 * threads share?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar BucketsBenchmark -t 1 -prof gc
 * java -jar benchmarks/target/benchmarks.jar BucketsBenchmark -t 2 -prof gc
 * </pre>
 *
 * <p>Both sides find the bucket the same way: they look through the bounds of Prometheus' classic histogram.
 */
public class BucketsBenchmark extends CountingComparison {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double[] BOUNDS = LongStream.of(PrometheusHistogram.bounds())
            .mapToDouble(nanos -> nanos / NANOS_PER_SECOND)
            .toArray();

    private static final PerCpuBuckets PER_CPU = new PerCpuBuckets(BOUNDS.length + 1);
    private static final LongAdder[] ADDERS =
            Stream.generate(LongAdder::new).limit(BOUNDS.length + 1).toArray(LongAdder[]::new);
    private static final DoubleAdder SUM = new DoubleAdder();

    private static int bucketOf(double seconds) {
        int bucket = 0;
        while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]) {
            bucket++;
        }
        return bucket;
    }

    @Benchmark
    @Role(value = OURS, label = "`PerCpuBuckets.record`")
    public void perCpuBuckets(Latencies latencies) {
        double seconds = latencies.nextSeconds();
        PER_CPU.record(bucketOf(seconds), seconds);
    }

    @Benchmark
    @Role(value = PEER, label = "an array of `LongAdder`s and a `DoubleAdder`")
    public void adders(Latencies latencies) {
        double seconds = latencies.nextSeconds();
        ADDERS[bucketOf(seconds)].increment();
        SUM.add(seconds);
    }

    @Override
    void check(String benchmark, long operations) {
        super.check(benchmark, operations);
        checkNear("the sum", Latencies.sumInSeconds(), PER_CPU.sum() + SUM.sum(), ROUNDING);
    }

    @Override
    long total() {
        return LongStream.of(PER_CPU.counts()).sum()
                + Stream.of(ADDERS).mapToLong(LongAdder::sum).sum();
    }
}

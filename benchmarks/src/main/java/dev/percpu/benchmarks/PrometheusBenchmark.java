package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.prometheus.Counter;
import dev.percpu.prometheus.Histogram;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * What does it cost to update a metric of the Prometheus client, kept per CPU and as the client keeps it? All have the
 * client's defaults, with exemplars, and two labels.
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar PrometheusBenchmark -t 1
 * java -jar benchmarks/target/benchmarks.jar PrometheusBenchmark -t 2
 * </pre>
 */
public class PrometheusBenchmark extends CountingComparison {
    private static final String[] LABELS = {"method", "status"};

    private final Counter counter =
            Counter.builder().name("requests").labelNames(LABELS).build();
    private final io.prometheus.metrics.core.metrics.Counter clientsCounter =
            io.prometheus.metrics.core.metrics.Counter.builder()
                    .name("requests")
                    .labelNames(LABELS)
                    .build();
    private final CounterDataPoint child = counter.labelValues("GET", "200");
    private final CounterDataPoint clientsChild = clientsCounter.labelValues("GET", "200");

    private final DistributionDataPoint classic = Histogram.builder()
            .name("latency_seconds")
            .labelNames(LABELS)
            .classicOnly()
            .build()
            .labelValues("GET", "200");
    private final DistributionDataPoint nativeOne = Histogram.builder()
            .name("latency_seconds")
            .labelNames(LABELS)
            .nativeOnly()
            .build()
            .labelValues("GET", "200");
    private final DistributionDataPoint both = Histogram.builder()
            .name("latency_seconds")
            .labelNames(LABELS)
            .build()
            .labelValues("GET", "200");
    private final DistributionDataPoint clientsClassic = io.prometheus.metrics.core.metrics.Histogram.builder()
            .name("latency_seconds")
            .labelNames(LABELS)
            .classicOnly()
            .build()
            .labelValues("GET", "200");
    private final DistributionDataPoint clientsNative = io.prometheus.metrics.core.metrics.Histogram.builder()
            .name("latency_seconds")
            .labelNames(LABELS)
            .nativeOnly()
            .build()
            .labelValues("GET", "200");
    private final DistributionDataPoint clientsBoth = io.prometheus.metrics.core.metrics.Histogram.builder()
            .name("latency_seconds")
            .labelNames(LABELS)
            .build()
            .labelValues("GET", "200");

    @Benchmark
    @Role(value = OURS, task = "increment", label = "`percpu-prometheus`")
    public void perCpuIncrement() {
        child.inc();
    }

    @Benchmark
    @Role(value = PEER, task = "increment", label = "the client")
    public void clientIncrement() {
        clientsChild.inc();
    }

    @Benchmark
    @Role(value = OURS, task = "look up and increment", label = "`percpu-prometheus`")
    public void perCpuLookUp() {
        counter.labelValues("GET", "200").inc();
    }

    @Benchmark
    @Role(value = PEER, task = "look up and increment", label = "the client")
    public void clientLookUp() {
        clientsCounter.labelValues("GET", "200").inc();
    }

    @Benchmark
    @Role(value = OURS, task = "observe, classic", label = "`percpu-prometheus`")
    public void perCpuClassic(Latencies latencies) {
        classic.observe(latencies.nextSeconds());
    }

    @Benchmark
    @Role(value = PEER, task = "observe, classic", label = "the client")
    public void clientClassic(Latencies latencies) {
        clientsClassic.observe(latencies.nextSeconds());
    }

    @Benchmark
    @Role(value = OURS, task = "observe, native", label = "`percpu-prometheus`")
    public void perCpuNative(Latencies latencies) {
        nativeOne.observe(latencies.nextSeconds());
    }

    @Benchmark
    @Role(value = PEER, task = "observe, native", label = "the client")
    public void clientNative(Latencies latencies) {
        clientsNative.observe(latencies.nextSeconds());
    }

    @Benchmark
    @Role(value = OURS, task = "observe, both", label = "`percpu-prometheus`")
    public void perCpuBoth(Latencies latencies) {
        both.observe(latencies.nextSeconds());
    }

    @Benchmark
    @Role(value = PEER, task = "observe, both", label = "the client")
    public void clientBoth(Latencies latencies) {
        clientsBoth.observe(latencies.nextSeconds());
    }

    @Override
    void check(String benchmark, long operations) {
        super.check(benchmark, operations);
        checkNear(
                "the sum of the latencies",
                Latencies.sumInSeconds(),
                Stream.of(classic, nativeOne, both, clientsClassic, clientsNative, clientsBoth)
                        .mapToDouble(DistributionDataPoint::getSum)
                        .sum(),
                ROUNDING);
    }

    @Override
    long total() {
        return child.getLongValue()
                + clientsChild.getLongValue()
                + Stream.of(classic, nativeOne, both, clientsClassic, clientsNative, clientsBoth)
                        .mapToLong(DistributionDataPoint::getCount)
                        .sum();
    }
}

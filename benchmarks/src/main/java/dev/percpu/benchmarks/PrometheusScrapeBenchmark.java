package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.prometheus.Counter;
import dev.percpu.prometheus.Histogram;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Setup;

/**
 * What does a scrape cost that collects a thousand series of one metric, while nobody updates them? Those kept per CPU
 * read each counter of each possible CPU. Writing the text comes on top, and is the same for both.
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar PrometheusScrapeBenchmark -t 1
 * </pre>
 */
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class PrometheusScrapeBenchmark extends Comparison {
    private static final int SERIES = 1_000;
    private static final int UPDATES = 100;

    private final Counter counter =
            Counter.builder().name("requests").labelNames("path").build();
    private final io.prometheus.metrics.core.metrics.Counter clientsCounter =
            io.prometheus.metrics.core.metrics.Counter.builder()
                    .name("requests")
                    .labelNames("path")
                    .build();
    private final Histogram histogram = Histogram.builder()
            .name("latency_seconds")
            .labelNames("path")
            .classicOnly()
            .build();
    private final io.prometheus.metrics.core.metrics.Histogram clientsHistogram =
            io.prometheus.metrics.core.metrics.Histogram.builder()
                    .name("latency_seconds")
                    .labelNames("path")
                    .classicOnly()
                    .build();

    /** Updates each series. */
    @Setup
    public void update() {
        Latencies latencies = new Latencies();
        latencies.draw();
        for (int series = 0; series < SERIES; series++) {
            String path = "/" + series;
            CounterDataPoint ours = counter.labelValues(path);
            CounterDataPoint clients = clientsCounter.labelValues(path);
            DistributionDataPoint oursObserved = histogram.labelValues(path);
            DistributionDataPoint clientsObserved = clientsHistogram.labelValues(path);
            for (int i = 0; i < UPDATES; i++) {
                ours.inc();
                clients.inc();
                oursObserved.observe(latencies.nextSeconds());
                clientsObserved.observe(latencies.nextSeconds());
            }
        }
    }

    @Benchmark
    @Role(value = OURS, task = "collect 1,000 counters", label = "`percpu-prometheus`")
    public CounterSnapshot perCpuCounters() {
        return counter.collect();
    }

    @Benchmark
    @Role(value = PEER, task = "collect 1,000 counters", label = "the client")
    public CounterSnapshot clientCounters() {
        return clientsCounter.collect();
    }

    @Benchmark
    @Role(value = OURS, task = "collect 1,000 classic histograms", label = "`percpu-prometheus`")
    public HistogramSnapshot perCpuHistograms() {
        return histogram.collect();
    }

    @Benchmark
    @Role(value = PEER, task = "collect 1,000 classic histograms", label = "the client")
    public HistogramSnapshot clientHistograms() {
        return clientsHistogram.collect();
    }

    /** A scrape takes nothing away. */
    @Override
    void check(String benchmark, long operations) {
        long expected = (long) SERIES * UPDATES;
        checkEqual("counted", expected, sum(counter.collect()));
        checkEqual("counted by the client", expected, sum(clientsCounter.collect()));
        checkEqual("observed", expected, observed(histogram.collect()));
        checkEqual("observed by the client", expected, observed(clientsHistogram.collect()));
    }

    private static long sum(CounterSnapshot counters) {
        return (long) counters.getDataPoints().stream()
                .mapToDouble(CounterDataPointSnapshot::getValue)
                .sum();
    }

    private static long observed(HistogramSnapshot histograms) {
        return histograms.getDataPoints().stream()
                .mapToLong(HistogramDataPointSnapshot::getCount)
                .sum();
    }
}

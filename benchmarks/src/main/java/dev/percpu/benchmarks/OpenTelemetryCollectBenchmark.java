package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuHistogram;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.sdk.metrics.ExemplarFilter;
import io.opentelemetry.sdk.metrics.data.MetricData;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Setup;

/**
 * What does it cost OpenTelemetry's SDK to collect a thousand series of one metric, while nobody updates them: of an
 * instrument of its own, or of counters and histograms kept per CPU?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar OpenTelemetryCollectBenchmark -t 1
 * </pre>
 *
 * <p>Exporting what was collected comes on top, and is the same for both.
 */
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class OpenTelemetryCollectBenchmark extends Comparison {
    private static final int SERIES = 1_000;
    private static final int UPDATES = 100;

    private final OpenTelemetryMetrics perCpuCounters = new OpenTelemetryMetrics(ExemplarFilter.traceBased());
    private final OpenTelemetryMetrics sdkCounters = new OpenTelemetryMetrics(ExemplarFilter.traceBased());
    private final OpenTelemetryMetrics perCpuHistograms = new OpenTelemetryMetrics(ExemplarFilter.traceBased());
    private final OpenTelemetryMetrics sdkHistograms = new OpenTelemetryMetrics(ExemplarFilter.traceBased());

    /** Makes the series, and updates each. */
    @Setup
    public void update() {
        Latencies latencies = new Latencies();
        latencies.draw();
        LongCounter counter = sdkCounters.counter("requests");
        DoubleHistogram histogram = sdkHistograms.histogram("latency");
        List<Attributes> all = IntStream.range(0, SERIES)
                .mapToObj(series -> Attributes.of(AttributeKey.stringKey("path"), "/" + series))
                .toList();
        PerCpuCounterArray ours = perCpuCounters.perCpuCounters("requests", all);
        for (int series = 0; series < SERIES; series++) {
            Attributes attributes = all.get(series);
            PerCpuHistogram oursObserved = perCpuHistograms.perCpuHistogram("latency", attributes);
            for (int i = 0; i < UPDATES; i++) {
                ours.increment(series);
                counter.add(1, attributes);
                oursObserved.record(latencies.nextNanos());
                histogram.record(latencies.nextSeconds(), attributes);
            }
        }
    }

    @Benchmark
    @Role(value = OURS, task = "collect 1,000 counters", label = "`percpu-opentelemetry`")
    public Collection<MetricData> perCpuCounters() {
        return perCpuCounters.collect();
    }

    @Benchmark
    @Role(value = PEER, task = "collect 1,000 counters", label = "the SDK's own")
    public Collection<MetricData> sdkCounters() {
        return sdkCounters.collect();
    }

    @Benchmark
    @Role(value = OURS, task = "collect 1,000 histograms", label = "`percpu-opentelemetry`")
    public Collection<MetricData> perCpuHistograms() {
        return perCpuHistograms.collect();
    }

    @Benchmark
    @Role(value = PEER, task = "collect 1,000 histograms", label = "the SDK's own")
    public Collection<MetricData> sdkHistograms() {
        return sdkHistograms.collect();
    }

    /** A collection takes nothing away. */
    @Override
    void check(String benchmark, long operations) {
        long expected = (long) SERIES * UPDATES;
        checkEqual("counted", expected, perCpuCounters.exported());
        checkEqual("counted by the SDK", expected, sdkCounters.exported());
        checkEqual("recorded", expected, perCpuHistograms.exported());
        checkEqual("recorded by the SDK", expected, sdkHistograms.exported());
    }
}

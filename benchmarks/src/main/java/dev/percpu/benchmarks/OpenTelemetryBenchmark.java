package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuHistogram;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.sdk.metrics.ExemplarFilter;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * What does it cost to update a metric that OpenTelemetry's SDK exports: one of its own instruments, or what is kept
 * per CPU and read when the SDK collects?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar OpenTelemetryBenchmark -t 1
 * java -jar benchmarks/target/benchmarks.jar OpenTelemetryBenchmark -t 2
 * </pre>
 *
 * <p>The SDK's instruments are given two attributes that were made beforehand. Its default is to look for a sampled
 * span at each update, of which it would keep an exemplar; each is there without that, too. The reader wants cumulative
 * sums, as most do. Histograms have the bounds of OpenTelemetry's conventions for the time of a request.
 */
public class OpenTelemetryBenchmark extends CountingComparison {
    private static final Attributes ATTRIBUTES =
            Attributes.of(AttributeKey.stringKey("method"), "GET", AttributeKey.stringKey("status"), "200");

    private final OpenTelemetryMetrics sdk = new OpenTelemetryMetrics(ExemplarFilter.traceBased());
    private final OpenTelemetryMetrics withoutExemplars = new OpenTelemetryMetrics(ExemplarFilter.alwaysOff());
    private final OpenTelemetryMetrics exporter = new OpenTelemetryMetrics(ExemplarFilter.traceBased());

    private final PerCpuCounter counter = exporter.perCpuCounter("requests", ATTRIBUTES);
    private final PerCpuHistogram histogram = exporter.perCpuHistogram("latency", ATTRIBUTES);
    private final LongCounter sdkCounter = sdk.counter("requests");
    private final DoubleHistogram sdkHistogram = sdk.histogram("latency");
    private final LongCounter plainCounter = withoutExemplars.counter("requests");
    private final DoubleHistogram plainHistogram = withoutExemplars.histogram("latency");

    @Benchmark
    @Role(value = OURS, task = "count", label = "`PerCpuCounter.increment`")
    public void perCpuIncrement() {
        counter.increment();
    }

    @Benchmark
    @Role(value = PEER, task = "count", label = "`LongCounter.add`")
    public void sdkIncrement() {
        sdkCounter.add(1, ATTRIBUTES);
    }

    @Benchmark
    @Role(value = PEER, task = "count", label = "`LongCounter.add`, no exemplars")
    public void sdkIncrementWithoutExemplars() {
        plainCounter.add(1, ATTRIBUTES);
    }

    /** No look-up of the attributes either, as ours has none. */
    @Benchmark
    @Role(value = PEER, task = "count", label = "`LongCounter.add`, no exemplars, no attributes")
    public void sdkIncrementWithoutAttributes() {
        plainCounter.add(1);
    }

    @Benchmark
    @Role(value = OURS, task = "record a time", label = "`PerCpuHistogram.record`")
    public void perCpuRecord(Latencies latencies) {
        histogram.record(latencies.nextNanos());
    }

    @Benchmark
    @Role(value = PEER, task = "record a time", label = "`DoubleHistogram.record`")
    public void sdkRecord(Latencies latencies) {
        sdkHistogram.record(latencies.nextSeconds(), ATTRIBUTES);
    }

    @Benchmark
    @Role(value = PEER, task = "record a time", label = "`DoubleHistogram.record`, no exemplars")
    public void sdkRecordWithoutExemplars(Latencies latencies) {
        plainHistogram.record(latencies.nextSeconds(), ATTRIBUTES);
    }

    @Benchmark
    @Role(value = PEER, task = "record a time", label = "`DoubleHistogram.record`, no exemplars, no attributes")
    public void sdkRecordWithoutAttributes(Latencies latencies) {
        plainHistogram.record(latencies.nextSeconds());
    }

    @Override
    void check(String benchmark, long operations) {
        super.check(benchmark, operations);
        checkNear(
                "the sum of the times",
                Latencies.sumInSeconds(),
                sdk.exportedSeconds() + withoutExemplars.exportedSeconds() + exporter.exportedSeconds(),
                ROUNDING);
    }

    /** As the SDK exports it, so that what is measured is what comes out. */
    @Override
    long total() {
        return sdk.exported() + withoutExemplars.exported() + exporter.exported();
    }
}

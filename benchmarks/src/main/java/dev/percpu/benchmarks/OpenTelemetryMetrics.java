package dev.percpu.benchmarks;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.opentelemetry.PerCpuCallbacks;
import dev.percpu.opentelemetry.PerCpuMetricProducer;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.metrics.ExemplarFilter;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.CollectionRegistration;
import io.opentelemetry.sdk.metrics.export.MetricReader;
import java.util.Collection;
import java.util.List;

/** OpenTelemetry's SDK with a reader that collects when it is told to, and metrics of both kinds. */
final class OpenTelemetryMetrics {
    /** What OpenTelemetry's conventions advise for the duration of a request. */
    private static final List<Double> SECONDS =
            List.of(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0);

    private static final double NANOS_PER_SECOND = 1e9;

    private final Reader reader = new Reader();
    private final PerCpuMetricProducer producer = PerCpuMetricProducer.create("benchmarks");
    private final Meter meter;

    /** Makes one without metrics. */
    OpenTelemetryMetrics(ExemplarFilter exemplars) {
        meter = SdkMeterProvider.builder()
                .setExemplarFilter(exemplars)
                .registerMetricReader(reader)
                .registerMetricProducer(producer)
                .build()
                .get("benchmarks");
    }

    /** A counter of the SDK. */
    LongCounter counter(String name) {
        return meter.counterBuilder(name).build();
    }

    /** A histogram of the SDK, of seconds. */
    DoubleHistogram histogram(String name) {
        return meter.histogramBuilder(name)
                .setUnit("s")
                .setExplicitBucketBoundariesAdvice(SECONDS)
                .build();
    }

    /** A counter that the SDK reads when it collects. */
    PerCpuCounter perCpuCounter(String name, Attributes attributes) {
        PerCpuCounter counter = new PerCpuCounter();
        var _ = meter.counterBuilder(name).buildWithCallback(PerCpuCallbacks.sum(counter, attributes));
        return counter;
    }

    /** As many counters as there are sets of attributes, which the SDK reads when it collects. */
    PerCpuCounterArray perCpuCounters(String name, List<Attributes> attributes) {
        PerCpuCounterArray counters = new PerCpuCounterArray(attributes.size());
        var _ = meter.counterBuilder(name).buildWithCallback(PerCpuCallbacks.sums(counters, attributes));
        return counters;
    }

    /** A histogram of nanoseconds that the SDK reads when it collects, with the same bounds, and exports as seconds. */
    PerCpuHistogram perCpuHistogram(String name, Attributes attributes) {
        long[] bounds = SECONDS.stream()
                .mapToLong(seconds -> Math.round(seconds * NANOS_PER_SECOND))
                .toArray();
        PerCpuHistogram histogram = PerCpuHistogram.builder().bounds(bounds).build();
        var _ = producer.histogram(name, histogram)
                .setAttributes(attributes)
                .setUnit("s")
                .setDivisor(NANOS_PER_SECOND)
                .register();
        return histogram;
    }

    /** What an exporter would be given. */
    Collection<MetricData> collect() {
        return reader.registration.collectAllMetrics();
    }

    /** How many updates there were, of all metrics. */
    long exported() {
        return collect().stream()
                .flatMap(metric -> metric.getData().getPoints().stream())
                .mapToLong(point -> switch (point) {
                    case LongPointData sum -> sum.getValue();
                    case HistogramPointData histogram -> histogram.getCount();
                    default -> throw new IllegalStateException("this is neither a sum nor a histogram: " + point);
                })
                .sum();
    }

    /** The sum of what all histograms were given. */
    double exportedSeconds() {
        return collect().stream()
                .flatMap(metric -> metric.getData().getPoints().stream())
                .mapToDouble(point -> point instanceof HistogramPointData histogram ? histogram.getSum() : 0)
                .sum();
    }

    private static final class Reader implements MetricReader {
        private CollectionRegistration registration = CollectionRegistration.noop();

        @Override
        public void register(CollectionRegistration given) {
            registration = given;
        }

        @Override
        public AggregationTemporality getAggregationTemporality(InstrumentType type) {
            return AggregationTemporality.CUMULATIVE;
        }

        @Override
        public CompletableResultCode forceFlush() {
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
        }
    }
}

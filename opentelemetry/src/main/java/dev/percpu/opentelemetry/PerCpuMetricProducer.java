package dev.percpu.opentelemetry;

import dev.percpu.concurrent.HistogramBuilder;
import dev.percpu.concurrent.PerCpuHistogram;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.common.Clock;
import io.opentelemetry.sdk.common.InstrumentationScopeInfo;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.MetricProducer;
import io.opentelemetry.sdk.resources.Resource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Gives per-CPU histograms to OpenTelemetry's SDK. The program records in a {@link PerCpuHistogram}; each time a reader
 * collects, the SDK asks the producer, which takes snapshots.
 *
 * <pre>{@code
 * static final PerCpuHistogram NANOS =
 *         PerCpuHistogram.builder().bounds(5_000_000, 10_000_000, 25_000_000, 100_000_000).build();
 *
 * PerCpuMetricProducer producer = PerCpuMetricProducer.create("my.application");
 * producer.histogram("http.server.request.duration", NANOS).setUnit("s").setDivisor(1e9).register();
 *
 * SdkMeterProvider.builder().registerMetricReader(reader).registerMetricProducer(producer).build();
 * }</pre>
 *
 * <p>What comes out is a histogram with explicit buckets, those of the {@link HistogramBuilder#bounds bounds} that the
 * histogram was built with. Its temporality is cumulative, whatever a reader prefers: the SDK does not tell a producer.
 * There is no minimum, no maximum and no exemplar, and views do not apply.
 *
 * <p>The buckets' counts and the count agree in each collection. While values are being recorded, the sum can
 * differ from them by those values.
 *
 * <p>All methods can be called by several threads. A producer can be registered with several providers.
 */
public final class PerCpuMetricProducer implements MetricProducer {
    private final InstrumentationScopeInfo scope;
    private final Clock clock;

    /** The series of each metric that has one, by its key and by their attributes. Guarded by this. */
    private final Map<String, Map<Attributes, HistogramSeries>> registered = new LinkedHashMap<>();

    PerCpuMetricProducer(InstrumentationScopeInfo scope, Clock clock) {
        this.scope = scope;
        this.clock = clock;
    }

    /**
     * Creates a producer that has no histograms yet.
     *
     * @param scopeName what a meter's name is: the name of the library or program that records
     */
    public static PerCpuMetricProducer create(String scopeName) {
        return create(InstrumentationScopeInfo.create(scopeName));
    }

    /** Creates a producer that has no histograms yet, with a scope that can have a version and attributes. */
    public static PerCpuMetricProducer create(InstrumentationScopeInfo scope) {
        return new PerCpuMetricProducer(Objects.requireNonNull(scope, "scope"), Clock.getDefault());
    }

    /**
     * Begins to register a histogram under a metric's name. Several histograms can have the same name if they have
     * different attributes. A name that differs from a registered one in case only is refused.
     *
     * @param name as OpenTelemetry wants it: a letter, and up to 254 letters, digits, and characters of {@code _.-/}
     * @param histogram one that was built with {@link HistogramBuilder#bounds bounds}
     * @throws IllegalArgumentException if the name is none, or if the histogram was built without bounds
     */
    public HistogramMetricBuilder histogram(String name, PerCpuHistogram histogram) {
        return new HistogramMetricBuilder(
                this, Objects.requireNonNull(name, "name"), Objects.requireNonNull(histogram, "histogram"));
    }

    long now() {
        return clock.now();
    }

    synchronized void add(HistogramSeries series) {
        String key = series.key();
        Map<Attributes, HistogramSeries> metric = registered.get(key);
        if (metric == null) {
            // With the series in it before others find it.
            metric = new LinkedHashMap<>();
            metric.put(series.attributes(), series);
            registered.put(key, metric);
            return;
        }
        metric.values().iterator().next().checkGoesTogetherWith(series);
        if (metric.putIfAbsent(series.attributes(), series) != null) {
            throw new IllegalArgumentException(
                    "the metric " + series.name() + " is registered already with the attributes " + series.attributes()
                            + ": give each histogram others, or close the earlier registration");
        }
    }

    /** Does nothing if it was removed before. */
    synchronized void remove(HistogramSeries series) {
        // Takes memory, so it comes before the first change.
        String key = series.key();
        Map<Attributes, HistogramSeries> metric = registered.get(key);
        if (metric == null || metric.get(series.attributes()) != series) {
            return;
        }
        // In one step, which an error, such as a stack overflow, leaves undone or done.
        if (metric.size() == 1) {
            registered.remove(key);
        } else {
            metric.remove(series.attributes());
        }
    }

    /** The series of each metric. */
    private synchronized List<List<HistogramSeries>> copyOfRegistered() {
        return registered.values().stream()
                .map(metric -> List.copyOf(metric.values()))
                .toList();
    }

    @Override
    public Collection<MetricData> produce(Resource resource) {
        List<List<HistogramSeries>> metrics = copyOfRegistered();
        // After the copy, so that no point ends before a series that is being registered has begun.
        long now = clock.now();
        List<MetricData> produced = new ArrayList<>(metrics.size());
        for (List<HistogramSeries> metric : metrics) {
            List<HistogramPointData> points =
                    metric.stream().map(series -> series.point(now)).toList();
            produced.add(
                    new HistogramMetric(resource, scope, metric.getFirst(), AggregationTemporality.CUMULATIVE, points));
        }
        return produced;
    }

    @Override
    public String toString() {
        return "PerCpuMetricProducer of " + scope.getName();
    }
}

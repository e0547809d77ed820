package dev.percpu.prometheus;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.percpu.memory.AreaFullException;
import io.prometheus.metrics.config.MetricsProperties;
import io.prometheus.metrics.config.PrometheusProperties;
import io.prometheus.metrics.core.datapoints.DataPoint;
import io.prometheus.metrics.core.exemplars.ExemplarSampler;
import io.prometheus.metrics.core.exemplars.ExemplarSamplerConfig;
import io.prometheus.metrics.core.metrics.MetricWithFixedMetadata;
import io.prometheus.metrics.model.snapshots.Exemplar;
import io.prometheus.metrics.model.snapshots.Labels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the metrics of this package have in common: a data point for each combination of label values, as in the
 * client's {@link io.prometheus.metrics.core.metrics.StatefulMetric}. That class cannot be extended from outside, as
 * its builder is not public. Names, labels, units and what the registry is told of them are the client's own code.
 *
 * <p>Looking up a data point costs more than updating it. Where the label values are known beforehand, keep what
 * {@link #labelValues} returns.
 *
 * @param <D> what a data point can do
 * @param <T> what a data point is
 */
public abstract class PerCpuMetric<D extends DataPoint, T extends D> extends MetricWithFixedMetadata {
    private final ConcurrentHashMap<LabelValues, T> dataPoints = new ConcurrentHashMap<>();

    /** The data point of a metric without labels, once it is used. */
    private volatile @Nullable T withoutLabels;

    private final @Nullable Supplier<Labels> exemplarLabels;

    PerCpuMetric(Builder<?, ?> builder) {
        super(builder);
        exemplarLabels = builder.exemplarLabels;
    }

    /**
     * The data point of these label values, in the order of the label names; it is made with the first call.
     *
     * @throws IllegalArgumentException if there are not as many values as label names, or one is null
     */
    public D labelValues(String... labelValues) {
        T dataPoint = dataPoints.get(new LabelValues(labelValues));
        return dataPoint != null ? dataPoint : addDataPoint(labelValues.clone());
    }

    private T addDataPoint(String[] labelValues) {
        if (labelValues.length != labelNames.length) {
            throw new IllegalArgumentException(
                    labelValues.length == 0
                            ? getClass().getSimpleName() + " " + metadata.getName()
                                    + " was created with label names, so you must call labelValues(...) when using it."
                            : "Expected " + labelNames.length + " label values, but got " + labelValues.length + ".");
        }
        for (int i = 0; i < labelValues.length; i++) {
            if (labelValues[i] == null) {
                throw new IllegalArgumentException(
                        "null label value for metric " + metadata.getName() + " and label " + labelNames[i]);
            }
        }
        return dataPoints.computeIfAbsent(new LabelValues(labelValues), _ -> newDataPoint());
    }

    /** Creates the data point of these label values, so that it is exposed before its first update. */
    public void initLabelValues(String... labelValues) {
        D _ = labelValues(labelValues);
    }

    /** Removes a data point. Updates of whoever has kept it are no longer exposed. */
    public void remove(String... labelValues) {
        dataPoints.remove(new LabelValues(labelValues));
        forgetWithoutLabels();
    }

    /** Removes the data points of whose label values the function is true. */
    public void removeIf(Function<List<String>, Boolean> function) {
        dataPoints
                .keySet()
                .removeIf(
                        labelValues -> function.apply(Collections.unmodifiableList(Arrays.asList(labelValues.values))));
        forgetWithoutLabels();
    }

    /** Removes all data points. */
    public void clear() {
        dataPoints.clear();
        forgetWithoutLabels();
    }

    /*
     * After the removal from the map, and not while another thread is between the map and the field:
     *
     *   thread that updates                        thread that clears
     *   1. finds the data point in the map
     *                                              2. removes it from the map, forgets it
     *   3. remembers it                            -> all later updates would go to what nobody collects
     */
    private synchronized void forgetWithoutLabels() {
        withoutLabels = null;
    }

    /** The data point of a metric without labels. */
    final T withoutLabels() {
        T dataPoint = withoutLabels;
        return dataPoint != null ? dataPoint : addWithoutLabels();
    }

    private synchronized T addWithoutLabels() {
        T dataPoint = addDataPoint(new String[0]);
        withoutLabels = dataPoint;
        return dataPoint;
    }

    abstract T newDataPoint();

    /**
     * What each data point collects. A metric without labels is exposed also before its first update, if there is room
     * for its data point in the area: a scrape that failed would lose all other metrics.
     */
    final <S> List<S> collect(BiFunction<T, Labels, S> dataPointSnapshot) {
        if (labelNames.length == 0 && dataPoints.isEmpty()) {
            try {
                T _ = withoutLabels();
            } catch (AreaFullException e) {
                return List.of();
            }
        }
        // A copy, since a walk over the map itself meets a key twice if it is removed and added meanwhile. The client
        // refuses such a metric, and the scrape would fail.
        Map<LabelValues, T> copy = new HashMap<>(dataPoints);
        List<S> snapshots = new ArrayList<>(copy.size());
        copy.forEach((labelValues, dataPoint) ->
                snapshots.add(dataPointSnapshot.apply(dataPoint, constLabels.merge(labelNames, labelValues.values))));
        return snapshots;
    }

    /** The client's sampler for a data point, or null where exemplars are off. */
    final @Nullable ExemplarSampler newSampler(@Nullable ExemplarSamplerConfig config) {
        return config == null ? null : new ExemplarSampler(config, null, exemplarLabels);
    }

    /** The only exemplar of a sampler that has one at most; null if it has none. */
    static @Nullable Exemplar only(@Nullable ExemplarSampler sampler) {
        return sampler == null ? null : sampler.collect().getLatest();
    }

    /** Some strings as a key. An array that is not copied serves for one look-up. */
    private static final class LabelValues {
        private final String[] values;
        private final int hash;

        LabelValues(String[] values) {
            this.values = values;
            hash = Arrays.hashCode(values);
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(@Nullable Object object) {
            return object instanceof LabelValues other && Arrays.equals(values, other.values);
        }
    }

    /**
     * What a metric is made with.
     *
     * @param <B> the builder
     * @param <M> the metric
     */
    public abstract static class Builder<B extends Builder<B, M>, M extends PerCpuMetric<?, ?>>
            extends MetricWithFixedMetadata.Builder<B, M> {
        private @Nullable Boolean exemplarsEnabled;
        private @Nullable Supplier<Labels> exemplarLabels;

        Builder(List<String> illegalLabelNames, PrometheusProperties properties) {
            super(illegalLabelNames, properties);
        }

        /** More labels for each exemplar that the client samples; asked for each time. */
        @CanIgnoreReturnValue
        public B exemplarLabelsSupplier(Supplier<Labels> supplier) {
            exemplarLabels = supplier;
            return self();
        }

        /** Turns exemplars on, unless the client's configuration of this metric turns them off. */
        @CanIgnoreReturnValue
        public B withExemplars() {
            exemplarsEnabled = true;
            return self();
        }

        /** Turns exemplars off; no configuration overrides that. */
        @CanIgnoreReturnValue
        public B withoutExemplars() {
            exemplarsEnabled = false;
            return self();
        }

        /** What was set on this builder; that of a histogram adds its own settings. */
        MetricsProperties.Builder toProperties() {
            return MetricsProperties.builder().exemplarsEnabled(exemplarsEnabled);
        }

        /** The defaults, for what neither the builder nor the client's configuration sets. */
        public MetricsProperties getDefaultProperties() {
            return MetricsProperties.builder().exemplarsEnabled(true).build();
        }

        /** The settings of a metric, from what overrides to what is overridden, as in the client. */
        final Settings settings(String metricName) {
            List<MetricsProperties> sources = new ArrayList<>();
            if (Boolean.FALSE.equals(exemplarsEnabled)) {
                sources.add(MetricsProperties.builder().exemplarsEnabled(false).build());
            }
            MetricsProperties ofName = properties.getMetricProperties(metricName);
            if (ofName != null) {
                sources.add(ofName);
            }
            sources.add(toProperties().build());
            sources.add(properties.getDefaultMetricProperties());
            sources.add(getDefaultProperties());
            return new Settings(metricName, sources, properties);
        }
    }

    /** The first source that says something decides. */
    record Settings(String metricName, List<MetricsProperties> sources, PrometheusProperties properties) {
        <P> P get(Function<MetricsProperties, @Nullable P> setting) {
            for (MetricsProperties source : sources) {
                P value = setting.apply(source);
                if (value != null) {
                    return value;
                }
            }
            throw new IllegalStateException("no default for a setting of " + sources);
        }

        boolean exemplars() {
            return get(MetricsProperties::getExemplarsEnabled);
        }

        /** For a metric that is not a classic histogram; null where exemplars are off. */
        @Nullable
        ExemplarSamplerConfig exemplars(int number) {
            return exemplars() ? new ExemplarSamplerConfig(properties.getExemplarProperties(), number) : null;
        }
    }
}

package dev.percpu.prometheus;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import io.prometheus.metrics.config.PrometheusProperties;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.exemplars.ExemplarSampler;
import io.prometheus.metrics.core.exemplars.ExemplarSamplerConfig;
import io.prometheus.metrics.model.registry.MetricType;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Exemplar;
import io.prometheus.metrics.model.snapshots.Labels;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The client's {@link io.prometheus.metrics.core.metrics.Counter}, kept per CPU.
 *
 * <pre>{@code
 * static final Counter REQUESTS = Counter.builder()
 *         .name("requests_total")
 *         .help("Requests that were answered")
 *         .labelNames("path", "status")
 *         .register();
 * static final CounterDataPoint HELLO_OK = REQUESTS.labelValues("/hello", "200");
 *
 * HELLO_OK.inc();
 * }</pre>
 *
 * <p>Each increment is counted once. A scrape reads every CPU's part, while increments go on: none waits, and none is
 * lost. A negative increment throws {@link IllegalArgumentException}.
 *
 * <p>Increments by a {@code long} and by a {@code double} are counted apart and added up by the scrape, as in the
 * client. A data point takes 24 bytes for each CPU and for each hot thread.
 */
public final class Counter extends PerCpuMetric<CounterDataPoint, Counter.DataPoint> implements CounterDataPoint {
    private final @Nullable ExemplarSamplerConfig exemplars;

    private Counter(Builder builder) {
        super(builder);
        exemplars = builder.settings(metadata.getName()).exemplars(1);
    }

    /** A builder with the client's configuration. */
    public static Builder builder() {
        return new Builder(PrometheusProperties.get());
    }

    /** A builder with the given configuration. */
    public static Builder builder(PrometheusProperties properties) {
        return new Builder(properties);
    }

    @Override
    public void inc() {
        withoutLabels().inc();
    }

    @Override
    public void inc(long amount) {
        withoutLabels().inc(amount);
    }

    @Override
    public void inc(double amount) {
        withoutLabels().inc(amount);
    }

    @Override
    public void incWithExemplar(long amount, Labels labels) {
        withoutLabels().incWithExemplar(amount, labels);
    }

    @Override
    public void incWithExemplar(double amount, Labels labels) {
        withoutLabels().incWithExemplar(amount, labels);
    }

    @Override
    public double get() {
        return withoutLabels().get();
    }

    @Override
    public long getLongValue() {
        return withoutLabels().getLongValue();
    }

    @Override
    public CounterSnapshot collect() {
        return new CounterSnapshot(
                metadata, collect((dataPoint, labels) -> dataPoint.collect(metadata.getName(), labels)));
    }

    @Override
    @SuppressWarnings("deprecation") // The client derives the descriptor from it.
    public MetricType getMetricType() {
        return MetricType.COUNTER;
    }

    @Override
    DataPoint newDataPoint() {
        return new DataPoint(newSampler(exemplars));
    }

    /** The counter of some label values. */
    static final class DataPoint implements CounterDataPoint {
        private final PerCpuCounter whole = new PerCpuCounter();
        private final PerCpuDoubleCounter fractional = new PerCpuDoubleCounter();
        private final long created = System.currentTimeMillis();
        private final @Nullable ExemplarSampler sampler;

        DataPoint(@Nullable ExemplarSampler sampler) {
            this.sampler = sampler;
        }

        @Override
        public void inc() {
            whole.increment();
            sample(1);
        }

        @Override
        public void inc(long amount) {
            add(amount);
            sample((double) amount);
        }

        @Override
        public void inc(double amount) {
            add(amount);
            sample(amount);
        }

        @Override
        public void incWithExemplar(long amount, Labels labels) {
            add(amount);
            sample((double) amount, labels);
        }

        @Override
        public void incWithExemplar(double amount, Labels labels) {
            add(amount);
            sample(amount, labels);
        }

        private void add(long amount) {
            if (amount < 0) {
                throw negative(amount);
            }
            whole.add(amount);
        }

        private void add(double amount) {
            if (amount < 0) {
                throw negative(amount);
            }
            fractional.add(amount);
        }

        private static IllegalArgumentException negative(Number amount) {
            return new IllegalArgumentException("Negative increment " + amount + " is illegal for Counter metrics.");
        }

        private void sample(double amount) {
            if (sampler != null) {
                sampler.observe(amount);
            }
        }

        private void sample(double amount, Labels labels) {
            if (sampler != null) {
                sampler.observeWithExemplar(amount, labels);
            }
        }

        @Override
        public double get() {
            return whole.sum() + fractional.sum();
        }

        @Override
        public long getLongValue() {
            return whole.sum() + (long) fractional.sum();
        }

        CounterDataPointSnapshot collect(String metricName, Labels labels) {
            // Before the value, so that no exemplar is exposed whose increment is not.
            Exemplar exemplar = only(sampler);
            return CounterDataPointSnapshot.builder()
                    .metricName(metricName)
                    .value(get())
                    .labels(labels)
                    .exemplar(exemplar)
                    .createdTimestampMillis(created)
                    .build();
        }
    }

    /** What a counter is made with. */
    public static final class Builder extends PerCpuMetric.Builder<Builder, Counter> {
        private Builder(PrometheusProperties properties) {
            super(List.of(), properties);
        }

        /**
         * The name; {@code _total} is added where it is missing.
         *
         * @throws IllegalArgumentException if it is not a valid name of a metric
         */
        @Override
        @CanIgnoreReturnValue
        public Builder name(String name) {
            return nameWithOriginal(withoutTotal(name), name);
        }

        private static String withoutTotal(String name) {
            // If it is null, the client's code throws.
            return name != null && (name.endsWith("_total") || name.endsWith(".total"))
                    ? name.substring(0, name.length() - "_total".length())
                    : name;
        }

        @Override
        public Counter build() {
            return new Counter(this);
        }

        @Override
        protected Builder self() {
            return this;
        }
    }
}

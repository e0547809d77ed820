package dev.percpu.prometheus;

import dev.percpu.concurrent.PerCpuDoubleCounter;
import io.prometheus.metrics.config.PrometheusProperties;
import io.prometheus.metrics.core.datapoints.GaugeDataPoint;
import io.prometheus.metrics.core.exemplars.ExemplarSampler;
import io.prometheus.metrics.core.exemplars.ExemplarSamplerConfig;
import io.prometheus.metrics.model.registry.MetricType;
import io.prometheus.metrics.model.snapshots.Exemplar;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The client's {@link io.prometheus.metrics.core.metrics.Gauge}, kept per CPU: a value that goes up and down, as the
 * number of requests in progress.
 *
 * <pre>{@code
 * static final Gauge IN_PROGRESS = Gauge.builder().name("requests_in_progress").register();
 *
 * IN_PROGRESS.inc();
 * try {
 *     serve(request);
 * } finally {
 *     IN_PROGRESS.dec();
 * }
 * }</pre>
 *
 * <p>Adding is what this class is made for: it waits for nothing, unless a {@link #set} begins in the middle of a hot
 * thread's addition. {@code set} is exact too: each addition is before or after it. But it costs a system call, and
 * waits for other calls of {@code set} and {@code get} of the same data point. For a value that is only ever set, the
 * client's gauge is the better one.
 *
 * <p>The value is a sum over all CPUs, which a scrape reads one after the other. While threads add and subtract, a
 * scrape can show a value that the gauge never had, also a negative one. Each part of the sum is a {@code double} of
 * its own. So rounding errors are relative to what was added to the parts, and not to the value; {@code set} removes
 * them all.
 *
 * <p>The client can sample an exemplar with each addition, as it knows the value then. Here an addition does not know
 * the total, which is the sum over all CPUs. So only {@code set} samples, and the methods that are given an exemplar.
 */
public final class Gauge extends PerCpuMetric<GaugeDataPoint, Gauge.DataPoint> implements GaugeDataPoint {
    private final @Nullable ExemplarSamplerConfig exemplars;

    private Gauge(Builder builder) {
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
    public void inc(double amount) {
        withoutLabels().inc(amount);
    }

    @Override
    public void incWithExemplar(double amount, Labels labels) {
        withoutLabels().incWithExemplar(amount, labels);
    }

    @Override
    public void set(double value) {
        withoutLabels().set(value);
    }

    @Override
    public void setWithExemplar(double value, Labels labels) {
        withoutLabels().setWithExemplar(value, labels);
    }

    @Override
    public double get() {
        return withoutLabels().get();
    }

    @Override
    public GaugeSnapshot collect() {
        return new GaugeSnapshot(metadata, collect(DataPoint::collect));
    }

    @Override
    @SuppressWarnings("deprecation") // The client derives the descriptor from it.
    public MetricType getMetricType() {
        return MetricType.GAUGE;
    }

    @Override
    DataPoint newDataPoint() {
        return new DataPoint(newSampler(exemplars));
    }

    /** The gauge of some label values. */
    static final class DataPoint implements GaugeDataPoint {
        private final PerCpuDoubleCounter value = new PerCpuDoubleCounter();
        private final @Nullable ExemplarSampler sampler;

        DataPoint(@Nullable ExemplarSampler sampler) {
            this.sampler = sampler;
        }

        @Override
        public void inc(double amount) {
            value.add(amount);
        }

        @Override
        public void incWithExemplar(double amount, Labels labels) {
            value.add(amount);
            if (sampler != null) {
                sampler.observeWithExemplar(get(), labels);
            }
        }

        @Override
        public void set(double newValue) {
            replace(newValue);
            if (sampler != null) {
                sampler.observe(newValue);
            }
        }

        @Override
        public void setWithExemplar(double newValue, Labels labels) {
            replace(newValue);
            if (sampler != null) {
                sampler.observeWithExemplar(newValue, labels);
            }
        }

        /**
         * An addition of another thread meanwhile is either in what the reset takes, so before this call, or left, so
         * after it. The monitor keeps {@link #get} from seeing the moment between the two steps.
         */
        private synchronized void replace(double newValue) {
            value.reset();
            value.add(newValue);
        }

        @Override
        public synchronized double get() {
            return value.sum();
        }

        GaugeDataPointSnapshot collect(Labels labels) {
            // Before the value, so that no exemplar is exposed whose update is not.
            Exemplar exemplar = only(sampler);
            return new GaugeDataPointSnapshot(get(), labels, exemplar);
        }
    }

    /** What a gauge is made with. */
    public static final class Builder extends PerCpuMetric.Builder<Builder, Gauge> {
        private Builder(PrometheusProperties properties) {
            super(List.of(), properties);
        }

        @Override
        public Gauge build() {
            return new Gauge(this);
        }

        @Override
        protected Builder self() {
            return this;
        }
    }
}

package dev.percpu.prometheus;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.prometheus.metrics.config.MetricsProperties;
import io.prometheus.metrics.config.PrometheusProperties;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.model.registry.MetricType;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import java.math.BigDecimal;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The client's {@link io.prometheus.metrics.core.metrics.Histogram}, kept per CPU: classic, native, or both, which is
 * what it is if nothing else is said.
 *
 * <pre>{@code
 * static final Histogram SECONDS = Histogram.builder()
 *         .name("request_duration_seconds")
 *         .labelNames("path")
 *         .register();
 * static final DistributionDataPoint HELLO_SECONDS = SECONDS.labelValues("/hello");
 *
 * HELLO_SECONDS.observe(Unit.nanosToSeconds(System.nanoTime() - start));
 * }</pre>
 *
 * <p><b>Values</b> go into the buckets that the client would put them into. NaN is ignored.
 *
 * <p><b>Exactness.</b> Each observed value is counted once, also while the schema is made coarser. A scrape reads every
 * CPU's part while observations go on. Nobody waits for a scrape. The count is always that of the buckets, classic and
 * native alike. The sum is another number, read a moment later: it can hold a value that is not counted yet, and the
 * other way round. With the client the two agree, and those that observe during a scrape go another, slower way.
 *
 * <p><b>The number of native buckets</b> is limited as in the client: first the zero bucket grows, if that is allowed,
 * then the schema becomes coarser. If a reset duration was given, then after that time a histogram whose schema became
 * coarser resets at the next scrape, and any histogram when the limit is next exceeded. The client does not wait for a
 * scrape.
 *
 * <p><b>Memory.</b> For each CPU and for each hot thread, a data point with classic buckets only takes 8 bytes, and 8
 * more for each bucket. If it has native buckets, it takes 8 for each pair of a classic and a native one that a value
 * was in. These come in steps: 264 bytes for 32 pairs, then 520 more for 64, and so on. The first value in a bucket can
 * throw {@link dev.percpu.memory.AreaFullException}, and is not counted then.
 */
public final class Histogram extends PerCpuMetric<DistributionDataPoint, HistogramDataPoint>
        implements DistributionDataPoint {
    private final HistogramSettings settings;

    private Histogram(Builder builder) {
        super(builder);
        settings = HistogramSettings.of(builder.settings(metadata.getName()));
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
    public void observe(double value) {
        withoutLabels().observe(value);
    }

    @Override
    public void observeWithExemplar(double value, Labels labels) {
        withoutLabels().observeWithExemplar(value, labels);
    }

    @Override
    public long getCount() {
        return withoutLabels().getCount();
    }

    @Override
    public double getSum() {
        return withoutLabels().getSum();
    }

    @Override
    public HistogramSnapshot collect() {
        return new HistogramSnapshot(metadata, collect(HistogramDataPoint::collect));
    }

    @Override
    @SuppressWarnings("deprecation") // The client derives the descriptor from it.
    public MetricType getMetricType() {
        return MetricType.HISTOGRAM;
    }

    @Override
    HistogramDataPoint newDataPoint() {
        return new HistogramDataPoint(settings, newSampler(settings.exemplars()));
    }

    /** What a histogram is made with. */
    public static final class Builder extends PerCpuMetric.Builder<Builder, Histogram> {
        /** The client's own array. */
        @SuppressWarnings("MutablePublicArray") // As in the client, where it is used by name.
        public static final double[] DEFAULT_CLASSIC_UPPER_BOUNDS =
                io.prometheus.metrics.core.metrics.Histogram.Builder.DEFAULT_CLASSIC_UPPER_BOUNDS;

        private @Nullable Boolean classicOnly;
        private @Nullable Boolean nativeOnly;
        private double @Nullable [] classicUpperBounds;
        private @Nullable Integer nativeInitialSchema;
        private @Nullable Double nativeMinZeroThreshold;
        private @Nullable Double nativeMaxZeroThreshold;
        private @Nullable Integer nativeMaxNumberOfBuckets;
        private @Nullable Long nativeResetDurationSeconds;

        private Builder(PrometheusProperties properties) {
            super(List.of("le"), properties);
        }

        /**
         * Native buckets only.
         *
         * @throws IllegalArgumentException after {@link #classicOnly()}
         */
        @CanIgnoreReturnValue
        public Builder nativeOnly() {
            if (Boolean.TRUE.equals(classicOnly)) {
                throw new IllegalArgumentException("Cannot call nativeOnly() after calling classicOnly().");
            }
            nativeOnly = true;
            return this;
        }

        /**
         * Classic buckets only: those are the fastest.
         *
         * @throws IllegalArgumentException after {@link #nativeOnly()}
         */
        @CanIgnoreReturnValue
        public Builder classicOnly() {
            if (Boolean.TRUE.equals(nativeOnly)) {
                throw new IllegalArgumentException("Cannot call classicOnly() after calling nativeOnly().");
            }
            classicOnly = true;
            return this;
        }

        /**
         * The upper bounds of the classic buckets, in any order. Infinity is added, duplicates are removed.
         *
         * @throws IllegalArgumentException if one is NaN
         */
        @CanIgnoreReturnValue
        public Builder classicUpperBounds(double... upperBounds) {
            for (double bound : upperBounds) {
                if (Double.isNaN(bound)) {
                    throw new IllegalArgumentException("Cannot use NaN as upper bound for a histogram");
                }
            }
            classicUpperBounds = upperBounds.clone();
            return this;
        }

        /**
         * {@code count} bounds, from {@code start} on, {@code width} apart, computed as decimal numbers.
         *
         * @throws IllegalArgumentException if the count is negative
         */
        @CanIgnoreReturnValue
        public Builder classicLinearUpperBounds(double start, double width, int count) {
            checkNumberOfBounds(count);
            BigDecimal first = BigDecimal.valueOf(start);
            BigDecimal step = BigDecimal.valueOf(width);
            return classicUpperBounds(IntStream.range(0, count)
                    .mapToDouble(
                            i -> first.add(step.multiply(BigDecimal.valueOf(i))).doubleValue())
                    .toArray());
        }

        /**
         * {@code count} bounds, from {@code start} on, each {@code factor} times the one before.
         *
         * @throws IllegalArgumentException if the count is negative
         */
        @CanIgnoreReturnValue
        public Builder classicExponentialUpperBounds(double start, double factor, int count) {
            checkNumberOfBounds(count);
            return classicUpperBounds(IntStream.range(0, count)
                    .mapToDouble(i -> start * Math.pow(factor, i))
                    .toArray());
        }

        private static void checkNumberOfBounds(int count) {
            if (count < 0) {
                throw new IllegalArgumentException("Illegal number of bounds " + count + ": must be >= 0");
            }
        }

        /**
         * The resolution to begin with: 2 to this power is the number of buckets for a power of two. Without this call
         * it is 5, buckets of 2.2%.
         *
         * @throws IllegalArgumentException if it is not from -4 to 8
         */
        @CanIgnoreReturnValue
        public Builder nativeInitialSchema(int nativeSchema) {
            if (nativeSchema < NativeSchema.COARSEST || nativeSchema > NativeSchema.FINEST) {
                throw new IllegalArgumentException(
                        "Unsupported native histogram schema " + nativeSchema + ": expecting -4 <= schema <= 8.");
            }
            nativeInitialSchema = nativeSchema;
            return this;
        }

        /**
         * How wide the zero bucket may become where there are too many native buckets.
         *
         * @throws IllegalArgumentException if it is negative
         */
        @CanIgnoreReturnValue
        public Builder nativeMaxZeroThreshold(double threshold) {
            if (threshold < 0) {
                throw new IllegalArgumentException("Illegal native max zero threshold " + threshold + ": must be >= 0");
            }
            nativeMaxZeroThreshold = threshold;
            return this;
        }

        /**
         * What counts as zero at the beginning: the values whose absolute value is not greater.
         *
         * @throws IllegalArgumentException if it is negative
         */
        @CanIgnoreReturnValue
        public Builder nativeMinZeroThreshold(double threshold) {
            if (threshold < 0) {
                throw new IllegalArgumentException("Illegal native min zero threshold " + threshold + ": must be >= 0");
            }
            nativeMinZeroThreshold = threshold;
            return this;
        }

        /**
         * How many native buckets there may be before the schema becomes coarser; 160 without this call, 0 for
         * any number. {@link #build()} refuses a negative one, as the client's does.
         */
        @CanIgnoreReturnValue
        public Builder nativeMaxNumberOfBuckets(int maxBuckets) {
            nativeMaxNumberOfBuckets = maxBuckets;
            return this;
        }

        /**
         * After this time, a histogram begins anew, with 0 and the initial schema: at the next scrape if its schema
         * became coarser, and otherwise when it has too many buckets.
         *
         * @throws IllegalArgumentException if it is less than a second
         */
        @CanIgnoreReturnValue
        public Builder nativeResetDuration(long duration, TimeUnit unit) {
            if (duration <= 0) {
                throw new IllegalArgumentException(duration + ": value > 0 expected");
            }
            long seconds = unit.toSeconds(duration);
            if (seconds == 0) {
                throw new IllegalArgumentException(duration + " " + unit
                        + ": duration must be at least 1 second. Sub-second durations are not supported.");
            }
            nativeResetDurationSeconds = seconds;
            return this;
        }

        @Override
        MetricsProperties.Builder toProperties() {
            MetricsProperties.Builder builder = super.toProperties()
                    .histogramNativeOnly(nativeOnly)
                    .histogramClassicOnly(classicOnly)
                    .histogramNativeInitialSchema(nativeInitialSchema)
                    .histogramNativeMinZeroThreshold(nativeMinZeroThreshold)
                    .histogramNativeMaxZeroThreshold(nativeMaxZeroThreshold)
                    .histogramNativeMaxNumberOfBuckets(nativeMaxNumberOfBuckets)
                    .histogramNativeResetDurationSeconds(nativeResetDurationSeconds);
            return classicUpperBounds == null ? builder : builder.histogramClassicUpperBounds(classicUpperBounds);
        }

        @Override
        public MetricsProperties getDefaultProperties() {
            return MetricsProperties.builder()
                    .exemplarsEnabled(true)
                    .histogramNativeOnly(false)
                    .histogramClassicOnly(false)
                    .histogramClassicUpperBounds(DEFAULT_CLASSIC_UPPER_BOUNDS)
                    .histogramNativeInitialSchema(HistogramSettings.DEFAULT_SCHEMA)
                    .histogramNativeMinZeroThreshold(HistogramSettings.DEFAULT_ZERO_THRESHOLD)
                    .histogramNativeMaxZeroThreshold(HistogramSettings.DEFAULT_ZERO_THRESHOLD)
                    .histogramNativeMaxNumberOfBuckets(HistogramSettings.DEFAULT_MAX_BUCKETS)
                    .histogramNativeResetDurationSeconds(0L)
                    .build();
        }

        /**
         * {@inheritDoc}
         *
         * @throws IllegalArgumentException if the histogram would have neither classic nor native buckets, since this
         *     builder and the client's configuration contradict one another
         */
        @Override
        public Histogram build() {
            return new Histogram(this);
        }

        @Override
        protected Builder self() {
            return this;
        }
    }
}

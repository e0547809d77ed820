package dev.percpu.prometheus;

import dev.percpu.prometheus.PerCpuMetric.Settings;
import io.prometheus.metrics.config.MetricsProperties;
import io.prometheus.metrics.core.exemplars.ExemplarSamplerConfig;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a histogram is made with.
 *
 * @param classic the classic buckets; for a native histogram one, up to infinity
 * @param exposesClassic whether they are exposed
 * @param schema the schema to begin with; null for a classic histogram
 * @param minZeroThreshold the zero bucket to begin with
 * @param maxZeroThreshold how wide it may become
 * @param maxBuckets how many native buckets there may be; 0 for any number
 * @param resetNanos after what time a histogram may begin anew; 0 for never
 * @param nanoTime what measures that time
 * @param exemplars null for none
 */
record HistogramSettings(
        ClassicBounds classic,
        boolean exposesClassic,
        @Nullable NativeSchema schema,
        double minZeroThreshold,
        double maxZeroThreshold,
        int maxBuckets,
        long resetNanos,
        LongSupplier nanoTime,
        @Nullable ExemplarSamplerConfig exemplars) {
    /** The client's defaults, where they are not public there. */
    static final double DEFAULT_ZERO_THRESHOLD = 0x1p-128;

    static final int DEFAULT_SCHEMA = 5;
    static final int DEFAULT_MAX_BUCKETS = 160;

    /** No schema has this number. */
    private static final int NO_SCHEMA = Integer.MIN_VALUE;

    /**
     * The same conclusions from the same settings as in the client. Each source is asked once which classic buckets it
     * wants, and once which native ones. "Only the others" is an answer too: then the sources behind it are not asked.
     * So what one source says of bounds can win over what a later one says of native buckets only.
     *
     * @throws IllegalArgumentException if that leaves no buckets at all; the client's histogram fails with every
     *     scrape, and all other metrics with it
     */
    static HistogramSettings of(Settings settings) {
        List<Double> bounds = settings.get(HistogramSettings::classicBounds);
        boolean exposesClassic = !bounds.isEmpty();
        int schema = settings.get(HistogramSettings::nativeSchema);
        if (!exposesClassic && schema == NO_SCHEMA) {
            throw new IllegalArgumentException("the histogram " + settings.metricName() + " would have neither classic"
                    + " nor native buckets: its builder and the client's configuration contradict one another, as one"
                    + " says native only and the other classic only");
        }
        ClassicBounds classic = new ClassicBounds(bounds);
        double min = settings.get(MetricsProperties::getHistogramNativeMinZeroThreshold);
        double max = settings.get(MetricsProperties::getHistogramNativeMaxZeroThreshold);
        if (max == DEFAULT_ZERO_THRESHOLD && min > max) {
            max = min;
        }
        ExemplarSamplerConfig exemplars = null;
        if (settings.exemplars()) {
            exemplars = exposesClassic
                    ? new ExemplarSamplerConfig(settings.properties().getExemplarProperties(), classic.upper())
                    : settings.exemplars(4);
        }
        return new HistogramSettings(
                classic,
                exposesClassic,
                schema == NO_SCHEMA ? null : NativeSchema.of(schema),
                Math.min(min, max),
                max,
                settings.get(MetricsProperties::getHistogramNativeMaxNumberOfBuckets),
                TimeUnit.SECONDS.toNanos(settings.get(MetricsProperties::getHistogramNativeResetDurationSeconds)),
                System::nanoTime,
                exemplars);
    }

    /** The classic bounds that a source wants, with infinity: null if it does not say, empty for no classic buckets. */
    private static @Nullable List<Double> classicBounds(MetricsProperties source) {
        if (Boolean.TRUE.equals(source.getHistogramNativeOnly())) {
            return List.of();
        }
        List<Double> bounds = source.getHistogramClassicUpperBounds();
        return bounds == null
                ? null
                : Stream.concat(bounds.stream(), Stream.of(Double.POSITIVE_INFINITY))
                        .toList();
    }

    /** The native schema that a source wants: null if it does not say, {@link #NO_SCHEMA} for no native buckets. */
    private static @Nullable Integer nativeSchema(MetricsProperties source) {
        return Boolean.TRUE.equals(source.getHistogramClassicOnly())
                ? Integer.valueOf(NO_SCHEMA)
                : source.getHistogramNativeInitialSchema();
    }
}

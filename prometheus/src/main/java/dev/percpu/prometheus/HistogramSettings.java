package dev.percpu.prometheus;

import dev.percpu.prometheus.PerCpuMetric.Settings;
import io.prometheus.metrics.config.MetricsProperties;
import io.prometheus.metrics.core.exemplars.ExemplarSamplerConfig;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
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
 * @param resetNanos after what time a histogram that was scaled down may begin anew; 0 for never
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

    /** The same conclusions from the same settings as in the client. */
    static HistogramSettings of(Settings settings) {
        boolean exposesClassic = !settings.get(MetricsProperties::getHistogramNativeOnly);
        ClassicBounds classic = new ClassicBounds(
                exposesClassic ? settings.get(MetricsProperties::getHistogramClassicUpperBounds) : List.of());
        NativeSchema schema = settings.get(MetricsProperties::getHistogramClassicOnly)
                ? null
                : NativeSchema.of(settings.get(MetricsProperties::getHistogramNativeInitialSchema));
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
                schema,
                Math.min(min, max),
                max,
                settings.get(MetricsProperties::getHistogramNativeMaxNumberOfBuckets),
                TimeUnit.SECONDS.toNanos(settings.get(MetricsProperties::getHistogramNativeResetDurationSeconds)),
                System::nanoTime,
                exemplars);
    }
}

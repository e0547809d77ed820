package dev.percpu.benchmarks;

import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;

/**
 * The Prometheus Java client's histogram, without labels. It is without exemplars too, as nothing else that it is
 * compared with keeps them.
 */
final class PrometheusHistogram {
    private final Histogram histogram;

    private PrometheusHistogram(Histogram histogram) {
        this.histogram = histogram;
    }

    /** The upper bounds of {@link #classic()} in nanoseconds. */
    static long[] bounds() {
        return LongStream.of(5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
                .map(TimeUnit.MILLISECONDS::toNanos)
                .toArray();
    }

    /** Fixed buckets: eleven, from 5 ms to 10 s, and one for what is above. */
    static PrometheusHistogram classic() {
        return new PrometheusHistogram(Histogram.builder()
                .name("latency_seconds")
                .classicOnly()
                .withoutExemplars()
                .build());
    }

    /** Exponential buckets in a hash table. */
    static PrometheusHistogram nativeOne() {
        return new PrometheusHistogram(Histogram.builder()
                .name("latency_seconds")
                .nativeOnly()
                .withoutExemplars()
                .build());
    }

    void observe(double seconds) {
        histogram.observe(seconds);
    }

    HistogramSnapshot collect() {
        return histogram.collect();
    }

    double sum() {
        return collect().getDataPoints().stream()
                .mapToDouble(HistogramSnapshot.HistogramDataPointSnapshot::getSum)
                .sum();
    }

    long count() {
        return collect().getDataPoints().stream()
                .mapToLong(HistogramSnapshot.HistogramDataPointSnapshot::getCount)
                .sum();
    }
}

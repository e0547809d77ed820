package dev.percpu.example;

import dev.percpu.PerCpuNumeric;
import dev.percpu.memory.NumericWidth;
import dev.percpu.prometheus.Counter;
import dev.percpu.prometheus.Gauge;
import dev.percpu.prometheus.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Unit;

/**
 * What is measured of each request: for Prometheus, and, for the status page, by the CPU that finished it.
 *
 * <p>The label values come with the request, so this example looks its data points up each time.
 */
final class Metrics {
    private final Counter requests;
    private final Gauge inProgress;
    private final Histogram seconds;
    private final PerCpuNumeric count = PerCpuNumeric.create(NumericWidth.LONG);
    private final PerCpuNumeric nanos = PerCpuNumeric.create(NumericWidth.LONG);

    Metrics(PrometheusRegistry registry) {
        requests = Counter.builder()
                .name("example_requests_total")
                .help("Requests that were answered")
                .labelNames("path", "status")
                .register(registry);
        inProgress = Gauge.builder()
                .name("example_requests_in_progress")
                .help("Requests that are being answered")
                .register(registry);
        seconds = Histogram.builder()
                .name("example_request_duration_seconds")
                .help("How long it took to answer a request")
                .unit(Unit.SECONDS)
                .classicExponentialUpperBounds(0.000_01, 2, 16)
                .labelNames("path")
                .register(registry);
    }

    void begin() {
        inProgress.inc();
    }

    void end(String path, int status, long elapsedNanos) {
        count.increment();
        nanos.add(elapsedNanos);
        seconds.labelValues(path).observe(Unit.nanosToSeconds(elapsedNanos));
        inProgress.dec();
        // Last, so that once a scrape has the request counted, the next scrape shows the rest too. The same one need
        // not: it reads the metrics one after another, in any order.
        requests.labelValues(path, Integer.toString(status)).inc();
    }

    /** How many requests each CPU has finished, by its id. */
    long[] requestsByCpu() {
        return count.snapshot();
    }

    /** How many nanoseconds those took. */
    long[] nanosByCpu() {
        return nanos.snapshot();
    }
}

/**
 * Counters, gauges and histograms for the Prometheus client. Start at {@link dev.percpu.prometheus.Counter} and
 * {@link dev.percpu.prometheus.Histogram}.
 */
module dev.percpu.prometheus {
    requires transitive dev.percpu;
    requires transitive io.prometheus.metrics.core;
    requires transitive io.prometheus.metrics.model;
    requires transitive io.prometheus.metrics.config;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports dev.percpu.prometheus;
}

/** Counters and histograms kept per CPU, exported by OpenTelemetry's SDK. */
module dev.percpu.opentelemetry {
    requires transitive dev.percpu;
    requires transitive io.opentelemetry.api;
    requires transitive io.opentelemetry.sdk.metrics;
    requires transitive io.opentelemetry.sdk.common;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports dev.percpu.opentelemetry;
}

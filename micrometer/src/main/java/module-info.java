/**
 * A Micrometer registry whose counters, timers and distribution summaries are kept per CPU. Start at
 * {@link dev.percpu.micrometer.PerCpuMeterRegistry}.
 */
module dev.percpu.micrometer {
    requires transitive dev.percpu;
    requires transitive micrometer.core;
    requires micrometer.commons;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports dev.percpu.micrometer;
}

module stranger {
    requires dev.percpu;
    requires dev.percpu.caffeine;
    requires dev.percpu.hdrhistogram;
    requires dev.percpu.jackson;
    requires dev.percpu.jackson3;
    requires dev.percpu.micrometer;
    requires dev.percpu.opentelemetry;
    requires dev.percpu.prometheus;
    // Has resources only.
    requires dev.percpu.header;
}

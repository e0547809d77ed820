module stranger {
    requires dev.percpu;
    requires dev.percpu.caffeine;
    requires dev.percpu.hdrhistogram;
    // Has resources only.
    requires dev.percpu.header;
}

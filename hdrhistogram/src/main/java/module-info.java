/** Makes HdrHistogram's histograms of what per-CPU histograms counted, for the tools that take those. */
module dev.percpu.hdrhistogram {
    requires transitive dev.percpu;
    requires transitive HdrHistogram;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports dev.percpu.hdrhistogram;
}

/** Statistics of Caffeine caches in per-CPU counters. */
module dev.percpu.caffeine {
    requires transitive dev.percpu;
    requires transitive com.github.benmanes.caffeine;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports dev.percpu.caffeine;
}

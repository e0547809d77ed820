/**
 * Per-CPU variables. Each CPU has its own instance of a variable, and a thread updates it with a few
 * ordinary instructions.
 *
 * <p>Start at {@link dev.percpu.concurrent.PerCpuCounter} for counters and at {@link dev.percpu.StaticPerCpu}
 * for objects.
 */
module dev.percpu {
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;
    // Only to record events. A runtime image without this module loses only those.
    requires static jdk.jfr;

    exports dev.percpu;
    exports dev.percpu.cell;
    exports dev.percpu.concurrent;
    exports dev.percpu.cpu;
    exports dev.percpu.listing;
    exports dev.percpu.management;
    exports dev.percpu.memory;
}

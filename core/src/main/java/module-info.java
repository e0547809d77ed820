/**
 * Per-CPU variables: every CPU has its own instance of a variable, updated with a few plain instructions.
 *
 * <p>Start at {@link dev.percpu.PerCpuNumeric} for counters and at {@link dev.percpu.StaticPerCpu} for objects.
 */
module dev.percpu {
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;
    // Only to record that a dead owner's CPU was taken over; a runtime image without it loses nothing else.
    requires static jdk.jfr;

    exports dev.percpu;
    exports dev.percpu.cell;
    exports dev.percpu.concurrent;
    exports dev.percpu.cpu;
    exports dev.percpu.memory;
}

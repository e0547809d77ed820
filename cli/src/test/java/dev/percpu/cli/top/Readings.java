package dev.percpu.cli.top;

import dev.percpu.PerCpuRuntime;
import dev.percpu.management.PerCpuMXBean;
import java.util.List;

/** Readings of a process on the back end {@code rseq}, which has some of its memory and of its own places in use. */
final class Readings {
    private Readings() {}

    static Reading reading(long nanos, Reading.Value... values) {
        return reading(nanos, List.of(), List.of(), values);
    }

    static Reading reading(
            long nanos, List<PerCpuMXBean.Owner> owners, List<String> failures, Reading.Value... values) {
        return new Reading(
                nanos,
                "rseq",
                new PerCpuRuntime.Area(1 << 20, 1 << 30, 64),
                new PerCpuRuntime.Places(3, 16),
                owners,
                List.of(values),
                failures);
    }
}

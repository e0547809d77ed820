package dev.percpu.internal.guard;

import java.lang.System.Logger;

/** Tells that a CPU was taken over from a dead owner, whose data may be half updated. */
final class Takeovers {
    /** The flight recorder is an optional module. */
    private static final boolean RECORDS = ModuleLayer.boot()
            .findModule("jdk.jfr")
            .map(Takeovers.class.getModule()::canRead)
            .orElse(false);

    private Takeovers() {}

    static void report(int cpu, Thread dead) {
        System.getLogger("dev.percpu")
                .log(
                        Logger.Level.WARNING,
                        "the guard of CPU {0} was never closed by {1}, which has ended; it is taken over, and what the"
                                + " thread was changing may be half done",
                        cpu,
                        dead);
        if (RECORDS) {
            GuardTakenOverEvent.commit(cpu, dead);
        }
    }
}

package dev.percpu.internal.guard;

import java.lang.System.Logger;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Tells of guards that are not as they should be. A thread of its own does the telling: whoever notices owns a CPU, or
 * waits for one, and a log handler is somebody else's code, which could wait for the same CPU, or throw.
 */
final class Reports {
    static final String LOGGER = "dev.percpu";

    /** The flight recorder is an optional module. */
    private static final boolean RECORDS = ModuleLayer.boot()
            .findModule("jdk.jfr")
            .map(Reports.class.getModule()::canRead)
            .orElse(false);

    private Reports() {}

    /** A dead owner's CPU was taken over. */
    static void takenOver(int cpu, @Nullable Thread thread, String dead) {
        tell(() -> {
            if (RECORDS) {
                GuardTakenOverEvent.commit(cpu, thread, dead);
            }
            System.getLogger(LOGGER)
                    .log(
                            Logger.Level.WARNING,
                            "the guard of CPU {0} was never closed by {1}, which has ended; it is taken over, and what"
                                    + " the thread was changing may be half done",
                            cpu,
                            dead);
        });
    }

    /** One owner has kept a waiter waiting. */
    static void longWait(Thread waiter, int cpu, String owner, long nanos) {
        tell(() -> System.getLogger(LOGGER)
                .log(
                        Logger.Level.WARNING,
                        "{0} has waited {1} ms for the guard of CPU {2}, held by {3}: a thread must not block while it"
                                + " holds a guard",
                        waiter,
                        TimeUnit.NANOSECONDS.toMillis(nanos),
                        cpu,
                        owner));
    }

    private static void tell(Runnable report) {
        Thread.ofPlatform().daemon().name("percpu-report").start(report);
    }
}

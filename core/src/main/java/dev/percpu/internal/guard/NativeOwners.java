package dev.percpu.internal.guard;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.linux.KernelThreads;
import java.lang.System.Logger;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Owners that are C code: {@code percpu.h} puts the negative number of the kernel's thread into the guard word, as C has
 * no {@link Thread}.
 */
public final class NativeOwners {
    /** Whether there is C code that takes guards at all. */
    private static volatile boolean expected;

    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private NativeOwners() {}

    /**
     * From now on C code takes guards. It also waits for those of Java's threads, and cannot tell whether one has ended.
     * So a thread of this side frees what dead threads hold.
     */
    public static synchronized void expect() {
        if (!expected) {
            Thread.ofPlatform()
                    .daemon()
                    .name("percpu-dead-owners")
                    .inheritInheritableThreadLocals(false)
                    .start(NativeOwners::freeDeadOwnersForEver);
            expected = true;
        }
    }

    /** Nothing ends this thread: without it C code would wait for ever for the next thread of Java that dies. */
    private static void freeDeadOwnersForEver() {
        while (true) {
            LockSupport.parkNanos(LOOK_NANOS);
            // Whoever has interrupted this thread wanted nothing of it; interrupted, it would not park any more.
            boolean _ = Thread.interrupted();
            try {
                Ownership.freeThoseOfDeadThreads(Thread.currentThread());
            } catch (Throwable t) {
                warn(t);
            }
        }
    }

    private static void warn(Throwable problem) {
        try {
            System.getLogger(Reports.LOGGER)
                    .log(
                            Logger.Level.WARNING,
                            "the guards of dead threads could not all be freed or reported; it is tried again",
                            problem);
        } catch (Throwable fromLogger) {
            // There is no other place where this could be reported.
        }
    }

    static boolean isNative(long owner) {
        return owner < 0;
    }

    static boolean hasEnded(long owner) {
        return KernelThreads.hasEnded((int) -owner);
    }

    /** For messages. */
    static String describe(long owner) {
        return "C code on " + KernelThreads.describe((int) -owner);
    }

    /**
     * Refuses to let a thread wait that holds a guard in C code which called this Java code. The two sides do not know
     * each other's guards: it would wait for itself, or two of its kind for each other.
     *
     * @throws IllegalStateException if it does
     */
    static void checkNoneHeldHere(int wanted) {
        if (!expected) {
            return;
        }
        long me = -KernelThreads.current();
        for (int cpu = 0; me != 0 && cpu < Area.CPUS; cpu++) {
            if (Ownership.owner(cpu) == me) {
                throw new IllegalStateException("the guard of CPU " + wanted
                        + " is taken, and C code on this very thread"
                        + " holds that of CPU " + cpu + ": C code must not call Java code that takes a guard while it"
                        + " holds one itself");
            }
        }
    }
}

package dev.percpu.internal.guard;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.linux.KernelThreads;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Owners that are C code. C has no {@link Thread}, so {@code percpu.h} stores the negative number of the kernel's
 * thread in the guard word.
 */
public final class NativeOwners {
    /** Whether C code takes guards in this process. */
    private static volatile boolean expected;

    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private NativeOwners() {}

    /**
     * Says that C code takes guards from now on. C code also waits for guards of Java threads, and cannot tell whether
     * such a thread has ended. So this starts a Java thread that frees the guards of dead owners.
     */
    public static synchronized void expect() {
        if (!expected) {
            Thread.ofPlatform()
                    .daemon()
                    .name("percpu-dead-owners")
                    .inheritInheritableThreadLocals(false)
                    .start(NativeOwners::watch);
            expected = true;
        }
    }

    private static void watch() {
        // An owner that had no open guard when this thread last checked.
        long[] without = new long[Area.CPUS];
        while (true) {
            try {
                LockSupport.parkNanos(LOOK_NANOS);
                // No interrupt is meant to end this thread, and while its interrupt flag is set it could not park.
                boolean _ = Thread.interrupted();
                for (int cpu = 0; cpu < Area.CPUS; cpu++) {
                    freeIfJavaLeftIt(cpu, without);
                }
            } catch (Throwable t) {
                // Catch everything: if this thread ended, C code would wait for dead owners forever.
                try {
                    Reports.failed("the check on owners that have ended", t);
                } catch (Throwable alsoFailed) {
                    // In a heap that is full to the last byte even this fails. The next look is in a second.
                }
            }
        }
    }

    private static void freeIfJavaLeftIt(int cpu, long[] without) {
        Recovery.finishFreeing(cpu);
        long word = Ownership.word(cpu);
        long owner = Recovery.ownerIn(word);
        if (owner <= Recovery.FREE || Recovery.freeIfDead(cpu, word, owner) || OpenGuards.count(cpu) != 0) {
            without[cpu] = Recovery.FREE;
        } else if (without[cpu] != owner) {
            without[cpu] = owner;
        } else {
            boolean _ = Recovery.freeIfLeftBehind(cpu);
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
     * Throws if C code on this thread holds a guard and has called this Java code, so that the thread must not wait.
     * The two sides do not know each other's guards. The thread would wait for itself, or two such threads would wait
     * for each other.
     *
     * @param forWhat as the object of "wait for"
     * @throws IllegalStateException if C code on this thread holds a guard
     */
    static void checkNoneHeldHere(String forWhat) {
        if (!expected) {
            return;
        }
        long me = -KernelThreads.current();
        for (int cpu = 0; me != 0 && cpu < Area.CPUS; cpu++) {
            if (Ownership.owner(cpu) == me) {
                throw new IllegalStateException("this thread would have to wait for " + forWhat
                        + ", and C code on this very thread holds the guard of CPU " + cpu
                        + ": C code must not call Java code that takes a guard while it holds one itself");
            }
        }
    }
}

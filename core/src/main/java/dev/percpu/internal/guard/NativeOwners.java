package dev.percpu.internal.guard;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.linux.KernelThreads;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Owners that are C code: {@code percpu.h} puts the negative number of the kernel's thread into the guard word, as C
 * has no {@link Thread}.
 */
public final class NativeOwners {
    /** Whether there is C code that takes guards at all. */
    private static volatile boolean expected;

    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private NativeOwners() {}

    /**
     * From now on C code takes guards. It also waits for those of Java's threads, and cannot tell whether one has
     * ended. So a thread of this side frees what dead threads hold.
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
        // An owner that had no guard when this thread last looked.
        long[] without = new long[Area.CPUS];
        while (true) {
            try {
                LockSupport.parkNanos(LOOK_NANOS);
                // Nothing interrupts this thread in order to end it, and interrupted it would not park.
                boolean _ = Thread.interrupted();
                for (int cpu = 0; cpu < Area.CPUS; cpu++) {
                    freeIfJavaLeftIt(cpu, without);
                }
            } catch (Throwable t) {
                // Whatever it is: if this thread ended, C code would wait for dead owners for ever.
                Reports.failed("the check on owners that have ended", t);
            }
        }
    }

    private static void freeIfJavaLeftIt(int cpu, long[] without) {
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
     * Refuses to let a thread wait that holds a guard in C code which called this Java code. The two sides do not know
     * each other's guards: it would wait for itself, or two of its kind for each other.
     *
     * @param forWhat as the object of "wait for"
     * @throws IllegalStateException if it does
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

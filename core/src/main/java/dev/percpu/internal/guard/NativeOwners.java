package dev.percpu.internal.guard;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.DetachedThread;
import dev.percpu.internal.linux.KernelThreads;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Owners that are C code. C has no {@link Thread}, so {@code percpu.h} stores the negative number of the kernel's
 * thread in the guard word.
 */
public final class NativeOwners {
    /** Whether C code takes guards in this process. */
    private static volatile boolean expected;

    private static final long LOOK_MILLIS = 1_000;

    /** The thread holds this weakly, and ends once it is unreachable. */
    private static final ToLongFunction<Reference<?>> WATCH = NativeOwners::watch;

    private NativeOwners() {}

    /**
     * Says that C code takes guards from now on. C code also waits for guards of Java threads, and cannot tell whether
     * such a thread has ended. So this starts a Java thread that frees the guards of dead owners.
     */
    public static synchronized void expect() {
        if (!expected) {
            DetachedThread.start(
                    "percpu-dead-owners", new ReferenceQueue<>(), LOOK_MILLIS, WATCH, DetachedThread.nothing());
            expected = true;
        }
    }

    /** Returns how many milliseconds to wait for the next call. There is never a reference. */
    private static long watch(@Nullable Reference<?> none) {
        try {
            for (int cpu = 0; cpu < Area.CPUS; cpu++) {
                boolean _ = Recovery.freeIfAbandoned(Thread.currentThread(), cpu);
            }
        } catch (Throwable t) {
            // Whatever it was, the next look may succeed, and C code would wait for dead owners for ever without it.
            Reports.failed("the check on owners that have ended", t);
        }
        return LOOK_MILLIS;
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

package dev.percpu.internal.guard;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.DetachedThread;
import dev.percpu.internal.linux.KernelThreads;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Owners that are C code. C has no {@link Thread}, so {@code percpu.h} stores a negative number in the guard word. Its
 * lowest 22 bits, negated, are the kernel's id of the thread. The other bits are the thread's start time, or 0. They
 * are needed because the kernel reuses the id of a thread that has ended.
 */
public final class NativeOwners {
    /** Whether C code acquires guards in this process. */
    private static volatile boolean expected;

    private static final long LOOK_MILLIS = 1_000;
    private static final int ID_BITS = 22;
    private static final long COMPARE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    /** When the start time of each CPU's owner was compared last. A race means one comparison more. */
    private static final long[] COMPARED = new long[PaddedArray.length(Area.CPUS)];

    /** The thread holds this weakly, and ends once it is unreachable. */
    private static final ToLongFunction<Reference<?>> WATCH = NativeOwners::watch;

    private NativeOwners() {}

    /**
     * Says that C code acquires guards from now on. C code also waits for guards of Java threads, and cannot tell
     * whether such a thread has ended. So this starts a Java thread that frees the guards of dead owners.
     */
    public static synchronized void expect() {
        if (!expected) {
            // Before the first owner: this notes the process's start time.
            KernelThreads.prepare();
            DetachedThread.start("percpu-dead-owners", new ReferenceQueue<>(), WATCH, DetachedThread.nothing());
            expected = true;
        }
    }

    /**
     * Checks the owner of each CPU, and returns after how many milliseconds to do so again. The reference is
     * always null.
     */
    private static long watch(@Nullable Reference<?> none) {
        try {
            for (int cpu = 0; cpu < Area.CPUS; cpu++) {
                boolean _ = Recovery.freeIfAbandoned(Thread.currentThread(), cpu);
            }
        } catch (Throwable t) {
            // Whatever failed, the next look may succeed. Without it, C code would wait for dead owners for ever.
            Reports.failed("the check on owners that have ended", t);
        }
        return LOOK_MILLIS;
    }

    static boolean isNative(long owner) {
        return owner < 0;
    }

    static boolean hasEnded(int cpu, long owner) {
        return KernelThreads.hasEnded(id(owner)) || (isTimeToCompare(cpu) && !isSame(owner, id(owner)));
    }

    /** To read a file costs more than the system call before it. */
    private static boolean isTimeToCompare(int cpu) {
        int index = PaddedArray.index(cpu);
        long now = System.nanoTime();
        if (now - COMPARED[index] < COMPARE_NANOS) {
            return false;
        }
        COMPARED[index] = now;
        return true;
    }

    /** Whether an owner is the thread that has an id now. If this cannot be found out, equal ids are enough. */
    private static boolean isSame(long owner, int thread) {
        long ownerStart = -owner >>> ID_BITS;
        if (id(owner) != thread) {
            return false;
        }
        long startTime = ownerStart == 0 ? 0 : KernelThreads.startTime(thread);
        return startTime == 0 || startTime == ownerStart || !KernelThreads.isProcessTheSame();
    }

    private static int id(long owner) {
        return (int) (-owner & ((1 << ID_BITS) - 1));
    }

    /** For messages. */
    static String describe(long owner) {
        return "C code on " + KernelThreads.describe(id(owner));
    }

    /**
     * Throws if C code on this thread holds a guard and has called this Java code, so that the thread must not wait.
     * The two sides do not know each other's guards. The thread would wait for itself, or two such threads would wait
     * for each other.
     *
     * @param kind how the object of "wait for" begins
     * @param which how it ends
     * @throws IllegalStateException if C code on this thread holds a guard
     */
    static void checkNoneHeldHere(String kind, Object which) {
        if (!expected) {
            return;
        }
        int me = KernelThreads.current();
        for (int cpu = 0; me != 0 && cpu < Area.CPUS; cpu++) {
            long owner = Ownership.owner(cpu);
            if (isNative(owner) && isSame(owner, me)) {
                throw new IllegalStateException("this thread would have to wait for " + kind + which
                        + ", and C code on this very thread holds the guard of CPU " + cpu + ": C code must not call"
                        + " Java code that acquires a guard, or waits, while it holds one itself");
            }
        }
    }
}

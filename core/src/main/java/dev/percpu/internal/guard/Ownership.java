package dev.percpu.internal.guard;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.protocol.CurrentCpu;
import dev.percpu.internal.protocol.GuardWords;
import org.jspecify.annotations.Nullable;

/**
 * The guard words: who owns which CPU's data.
 *
 * <p>A word is 0 if it is free, otherwise its owner's {@link Thread#threadId()}, which is never used twice; or it is
 * negative, see {@link NativeOwners}. The fast way in is {@link GuardWords#tryAcquire}; this class is what happens
 * when the word is not free.
 *
 * <p>There is no deadlock, as a thread that has a guard open never waits for another: asked for a guard, it gets one
 * more of a CPU that it owns. Nor does owning a CPU run anybody else's code: what is to be logged is logged by
 * another thread.
 *
 * <p>A thread owns a CPU from the moment its id is in the word, and has guards of it open as {@link OpenGuards} counts
 * them. An error in between (the stack can overflow anywhere) leaves a CPU with an owner and no open guard. The thread
 * frees such a CPU when it next comes by. If it doesn't, a thread that waits does: see {@link Recovery}.
 */
public final class Ownership {
    /** What the methods that do not wait, or not for ever, return if somebody else owns the CPU. */
    public static final int TAKEN = -1;

    private static final GuardWords GUARD_WORDS = GuardWords.CURRENT;

    static {
        // A class whose initializer fails is lost for good, and the first use may come with a full heap or stack. So
        // they are all initialized before the first guard is acquired.
        Recovery.initialize();
    }

    private Ownership() {}

    /**
     * Continues an acquisition of the current CPU that came out as {@code first}.
     *
     * @return the CPU that the thread owns now
     */
    public static int acquire(Thread me, int first) {
        int cpu = acquireOrNest(me, first);
        if (cpu >= 0) {
            return cpu;
        }
        NativeOwners.checkNoneHeldHere("the guard of CPU " + ~cpu);
        return new Wait(me, ~cpu).untilAcquired(() -> attempt(me));
    }

    /**
     * Like {@link #acquire}, but waits for so long at most, and ends with an interrupt.
     *
     * @return {@link #TAKEN} if that was not enough
     */
    public static int acquire(Thread me, int first, long nanos) throws InterruptedException {
        int cpu = acquireOrNest(me, first);
        if (cpu >= 0) {
            return cpu;
        }
        NativeOwners.checkNoneHeldHere("the guard of CPU " + ~cpu);
        return new Wait(me, ~cpu).untilAcquired(() -> attempt(me), nanos);
    }

    /** Like {@link #acquire}, but does not wait: {@link #TAKEN}. */
    public static int tryAcquire(Thread me, int first) {
        return Math.max(acquireOrNest(me, first), TAKEN);
    }

    /**
     * Acquires a given CPU.
     *
     * @throws IllegalStateException if it is taken, and the thread owns another CPU, so that it must not wait
     */
    public static int acquireOn(Thread me, int cpu) {
        if (tryAcquireOn(me, cpu) >= 0) {
            return cpu;
        }
        refuseToWait("that of CPU " + cpu);
        return new Wait(me, cpu).untilAcquired(() -> attemptOn(me, cpu));
    }

    /**
     * Like {@link #acquireOn}, but waits for so long at most, and ends with an interrupt.
     *
     * @return {@link #TAKEN} if that was not enough
     */
    public static int acquireOn(Thread me, int cpu, long nanos) throws InterruptedException {
        if (tryAcquireOn(me, cpu) >= 0) {
            return cpu;
        }
        refuseToWait("that of CPU " + cpu);
        return new Wait(me, cpu).untilAcquired(() -> attemptOn(me, cpu), nanos);
    }

    /** Like {@link #acquireOn}, but does not wait: {@link #TAKEN}. */
    public static int tryAcquireOn(Thread me, int cpu) {
        Owners.register(me);
        if (holds(me, cpu)) {
            return cpu;
        }
        return GUARD_WORDS.tryAcquireOn(cpu, me.threadId())
                        || (Recovery.freeIfAbandoned(me, cpu) && GUARD_WORDS.tryAcquireOn(cpu, me.threadId()))
                ? cpu
                : TAKEN;
    }

    /** A CPU that the current thread has guards of; negative if it has none. */
    public static int ownedBy(Thread me) {
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            if (holds(me, cpu)) {
                return cpu;
            }
        }
        return TAKEN;
    }

    /**
     * Refuses to let the current thread wait while it holds a guard: what it waits for may need that guard, and then
     * neither goes on.
     *
     * @param forWhat as the object of "wait for"
     * @throws IllegalStateException if it holds one, in Java or in C code that called this Java code
     */
    public static void refuseToWait(String forWhat) {
        int owned = ownedBy(Thread.currentThread());
        if (owned >= 0) {
            throw new IllegalStateException("this thread holds the guard of CPU " + owned + ", so it must not wait for "
                    + forWhat + ": whoever has that may be waiting for this guard. Close the guard first, or use a"
                    + " method that does not wait");
        }
        NativeOwners.checkNoneHeldHere(forWhat);
    }

    /** Frees a CPU. What its owner wrote is visible to the next one, as this is a release store. */
    public static void release(int cpu) {
        Area.LONG.setRelease(Area.MEMORY, offset(cpu), Recovery.FREE);
    }

    /** Frees a CPU that the thread owns without a guard; does nothing if it owns no such CPU. */
    public static void releaseLeftBehind(Thread me, int cpu) {
        boolean _ = Recovery.freeOwn(me, cpu);
    }

    /** The id of the thread that owns the CPU; 0 if it is free. */
    public static long owner(int cpu) {
        return Recovery.ownerIn(word(cpu));
    }

    /** The thread that owns the CPU; null if it is free, or its owner is C code, or has ended and been collected. */
    public static @Nullable Thread ownerThread(int cpu) {
        return Owners.find(owner(cpu));
    }

    /** Who has an id that is in a word, for messages. */
    public static String describe(long owner) {
        return NativeOwners.isNative(owner) ? NativeOwners.describe(owner) : Owners.describe(owner, Owners.find(owner));
    }

    static long word(int cpu) {
        return (long) Area.LONG.getVolatile(Area.MEMORY, offset(cpu));
    }

    static boolean compareAndSetWord(int cpu, long expected, long value) {
        return Area.LONG.compareAndSet(Area.MEMORY, offset(cpu), expected, value);
    }

    private static long offset(int cpu) {
        return Area.offset(cpu, CpuHeader.GUARD_WORD);
    }

    /** Whether the thread has guards of a CPU. If it owns the CPU without any, it frees it. */
    private static boolean holds(Thread me, int cpu) {
        if (owner(cpu) != me.threadId()) {
            return false;
        }
        if (OpenGuards.count(cpu) > 0) {
            return true;
        }
        boolean _ = Recovery.freeOwn(me, cpu);
        return false;
    }

    /** A CPU that the thread owns now, or owned already, or the complement of the one that is taken. */
    private static int acquireOrNest(Thread me, int first) {
        int outcome = acquireOnce(me, first);
        if (outcome < 0 && Recovery.freeIfAbandoned(me, ~outcome)) {
            outcome = acquireOnce(me, GUARD_WORDS.tryAcquire(me.threadId()));
        }
        if (outcome >= 0) {
            return outcome;
        }
        int cpu = ~outcome;
        if (holds(me, cpu)) {
            return cpu;
        }
        // The thread may have moved since it acquired the guard that it holds.
        int owned = ownedBy(me);
        return owned >= 0 ? owned : outcome;
    }

    /** One attempt of a thread that waits, and so has no guard: a CPU, or the complement of the one that is taken. */
    private static int attempt(Thread me) {
        return acquireOnce(me, GUARD_WORDS.tryAcquire(me.threadId()));
    }

    private static int attemptOn(Thread me, int cpu) {
        return GUARD_WORDS.tryAcquireOn(cpu, me.threadId()) ? cpu : ~cpu;
    }

    /** A thread without a CPU id acquires the CPU it runs on as if from another one. */
    private static int acquireOnce(Thread me, int outcome) {
        if (outcome != GuardWords.NO_CPU) {
            return outcome;
        }
        int cpu = CurrentCpu.CURRENT.get();
        return GUARD_WORDS.tryAcquireOn(cpu, me.threadId()) ? cpu : ~cpu;
    }
}

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
 * negative, see {@link NativeOwners}. The fast way in is {@link GuardWords#tryAcquire}; this class is what happens when the
 * word is not free.
 *
 * <p>There is no deadlock, as a thread that owns any CPU never waits for another: asked for a guard, it gets one more of
 * a CPU that it owns. Nor does owning a CPU run anybody else's code: what is to be logged is logged by another thread.
 *
 * <p>A thread owns a CPU from its id's being in the word on, and has guards of it open as {@link OpenGuards} counts them. An
 * error in between (the stack can overflow anywhere) leaves a CPU with an owner and no open guard. The thread's next
 * guard of that CPU is then its outermost one, and frees the CPU.
 */
public final class Ownership {
    /** What the methods that do not wait return if somebody else owns the CPU. */
    public static final int TAKEN = -1;

    private static final GuardWords GUARD_WORDS = GuardWords.CURRENT;

    /**
     * The last thread that acquired each CPU, kept to see whether the owner that a word names still lives. Written only
     * if it changes, and read without order: a thread is believed to be the owner only if its id is in the word, and
     * ids are never used twice.
     */
    private static final @Nullable Thread[] LAST_OWNERS = new Thread[PaddedArray.length(Area.CPUS)];

    private Ownership() {}

    /** Makes the thread known as the owner of the CPU that it just acquired. */
    public static void record(Thread owner, int cpu) {
        int index = PaddedArray.index(cpu);
        if (LAST_OWNERS[index] != owner) {
            LAST_OWNERS[index] = owner;
        }
    }

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
        NativeOwners.checkNoneHeldHere(~cpu);
        return new Wait(me, ~cpu).untilAcquired(() -> acquireOnce(me, GUARD_WORDS.tryAcquire(me.threadId())));
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
        int owned = ownedBy(me);
        if (owned >= 0) {
            throw new IllegalStateException("the guard of CPU " + cpu + " is taken, and this thread holds that of CPU "
                    + owned + ": a thread that holds a guard must not wait for another, or two could wait for each"
                    + " other. Close the guard first, or use tryAcquire");
        }
        NativeOwners.checkNoneHeldHere(cpu);
        return new Wait(me, cpu).untilAcquired(() -> GUARD_WORDS.tryAcquireOn(cpu, me.threadId()) ? cpu : ~cpu);
    }

    /** Like {@link #acquireOn}, but does not wait: {@link #TAKEN}. */
    public static int tryAcquireOn(Thread me, int cpu) {
        if (owner(cpu) == me.threadId()) {
            return cpu;
        }
        return GUARD_WORDS.tryAcquireOn(cpu, me.threadId()) || takeOverIfDead(cpu, me) ? cpu : TAKEN;
    }

    /** A CPU that the thread owns; negative if it owns none. */
    public static int ownedBy(Thread thread) {
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            if (owner(cpu) == thread.threadId()) {
                return cpu;
            }
        }
        return TAKEN;
    }

    /** Frees a CPU. What its owner wrote is visible to the next one, as this is a release store. */
    public static void release(int cpu) {
        Area.LONG.setRelease(Area.MEMORY, Area.offset(cpu, CpuHeader.GUARD_WORD), 0L);
    }

    /** The id of the thread that owns the CPU; 0 if it is free. */
    public static long owner(int cpu) {
        return (long) Area.LONG.getVolatile(Area.MEMORY, Area.offset(cpu, CpuHeader.GUARD_WORD));
    }

    /** The thread whose id is in the CPU's word; null if the CPU is free or the owner has not made itself known yet. */
    static @Nullable Thread ownerThread(int cpu) {
        Thread last = LAST_OWNERS[PaddedArray.index(cpu)];
        return last != null && last.threadId() == owner(cpu) ? last : null;
    }

    /**
     * Takes a CPU over if its owner has ended.
     *
     * <p>No sequence in flight on the CPU can still rely on having seen a 0: the dead owner's own acquisition restarted
     * each. Everything the dead owner wrote is visible here, since its end was seen by {@link Thread#isAlive}, or by the
     * kernel.
     *
     * @return false if the owner lives, or another thread was first
     */
    static boolean takeOverIfDead(int cpu, Thread me) {
        long id = owner(cpu);
        Thread thread = ownerThread(cpu);
        boolean dead = NativeOwners.isNative(id)
                ? NativeOwners.hasEnded(id)
                : thread != null && thread.threadId() == id && !thread.isAlive();
        if (!dead || !Area.LONG.compareAndSet(Area.MEMORY, Area.offset(cpu, CpuHeader.GUARD_WORD), id, me.threadId())) {
            return false;
        }
        // Whatever goes wrong from here on, this owner too can be taken over from if it ends.
        record(me, cpu);
        // With a count left behind, C code would never free the CPU.
        Area.LONG.set(Area.MEMORY, Area.offset(cpu, CpuHeader.NATIVE_NESTED), 0L);
        OpenGuards.endAll(cpu);
        Reports.takenOver(cpu, thread, describe(id, thread));
        return true;
    }

    /** Frees each CPU whose owner was one of Java's threads and has ended. */
    static void freeThoseOfDeadThreads(Thread me) {
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            try {
                if (!NativeOwners.isNative(owner(cpu))) {
                    takeOverIfDead(cpu, me);
                }
            } finally {
                // Even if it could not be reported, for want of threads, say.
                if (owner(cpu) == me.threadId()) {
                    release(cpu);
                }
            }
        }
    }

    /** An owner, for messages. */
    static String describe(long id, @Nullable Thread thread) {
        if (NativeOwners.isNative(id)) {
            return NativeOwners.describe(id);
        }
        return thread == null ? "thread #" + id : thread.toString();
    }

    /** A CPU that the thread owns now, or owned already, or the complement of the one that is taken. */
    private static int acquireOrNest(Thread me, int first) {
        int outcome = acquireOnce(me, first);
        if (outcome >= 0) {
            return outcome;
        }
        int cpu = ~outcome;
        if (owner(cpu) == me.threadId() || takeOverIfDead(cpu, me)) {
            return cpu;
        }
        // The thread may have moved since it acquired the guard that it holds.
        int owned = ownedBy(me);
        return owned >= 0 ? owned : outcome;
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

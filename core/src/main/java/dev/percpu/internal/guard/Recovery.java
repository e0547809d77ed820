package dev.percpu.internal.guard;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;

/**
 * Frees CPUs whose owner will not: it has ended, or it is alive but has no guard, because an error broke off its
 * acquisition or its close.
 *
 * <p>Freeing takes several steps, so the word says so first ({@link #BEING_FREED}). If an error breaks that off, the
 * next thread that comes by starts again: each step can be repeated.
 *
 * <p><b>A living owner without a guard.</b> Its id is in the word and its count of open guards is 0. But so they are
 * for a moment in each acquisition, between the sequence and the count, and in each close, between the count and the
 * release; and a thread can be preempted there for long. What tells the two apart is the owner's stack trace: in that
 * moment the thread is inside of this package or of {@link dev.percpu.CpuGuard}.
 *
 * <pre>
 *   waiter W (one at a time)                  owner O
 *   1. count is 0: word O -> O, suspected
 *   2. takes O's stack trace
 *   3. O is inside acquire or close, or the
 *      count is not 0: word back to O, later again
 *   4. else word O, suspected -> being freed
 * </pre>
 *
 * <p>If O was in the middle of an acquisition at 1, it is inside at 2, or it has counted before 2; taking the trace
 * stops O, so W sees the count. If O comes to acquire after 1, the word is not 0, so O goes the slow way and there
 * frees the word itself, by compare-and-set from what it is. Either this fails or 4 does. O's release of a guard
 * that it had at 1 is a plain store of 0, which makes 3 or 4 fail. So O pays nothing for all this as long as nothing
 * goes wrong.
 */
final class Recovery {
    static final long FREE = 0;

    /** Set in addition to the owner's id. No thread's id is so large, and those of C code are negative. */
    private static final long SUSPECTED = 1L << 62;

    /** Not free, and nobody's. */
    private static final long BEING_FREED = SUSPECTED;

    private Recovery() {}

    /** Initializes all classes that recovery needs. */
    static void initialize() {
        MethodHandles.Lookup lookup = MethodHandles.lookup();
        for (Class<?> needed : List.of(
                Owners.class,
                OpenGuards.class,
                NativeOwners.class,
                Wait.class,
                Reports.class,
                Reporter.class,
                StackTraces.class)) {
            try {
                lookup.ensureInitialized(needed);
            } catch (IllegalAccessException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** The owner's id in a word; 0 if it has none. */
    static long ownerIn(long word) {
        return NativeOwners.isNative(word) ? word : word & ~SUSPECTED;
    }

    /**
     * Frees a CPU if its owner has ended, or is the current thread and has no guard.
     *
     * @return whether it did
     */
    static boolean freeIfAbandoned(Thread me, int cpu) {
        long word = Ownership.word(cpu);
        long owner = ownerIn(word);
        if (owner == me.threadId()) {
            return freeOwn(me, cpu);
        }
        if (word == BEING_FREED) {
            return free(cpu, word);
        }
        return owner != FREE && freeIfDead(cpu, word, owner);
    }

    /** Frees a CPU that the current thread owns without a guard. */
    static boolean freeOwn(Thread me, int cpu) {
        long word = Ownership.word(cpu);
        while (ownerIn(word) == me.threadId() && OpenGuards.count(cpu) == 0) {
            if (Ownership.compareAndSetWord(cpu, word, FREE)) {
                return true;
            }
            // Another thread has marked the word, or taken the mark away.
            word = Ownership.word(cpu);
        }
        return false;
    }

    /**
     * Everything a dead owner wrote is visible here: its end was seen by {@link Thread#isAlive}, by the kernel, or by
     * the collector, which stops or synchronizes with each thread before it clears a reference.
     */
    static boolean freeIfDead(int cpu, long word, long owner) {
        Thread thread = null;
        if (NativeOwners.isNative(owner)) {
            if (!NativeOwners.hasEnded(owner)) {
                return false;
            }
        } else {
            thread = Owners.find(owner);
            if (thread != null && thread.isAlive()) {
                return false;
            }
        }
        if (!free(cpu, word)) {
            return false;
        }
        Reports.takenOver(cpu, owner, thread);
        return true;
    }

    /** Frees a CPU whose owner lives, but has no guard and is not about to have one. */
    static boolean freeIfLeftBehind(int cpu) {
        long word = Ownership.word(cpu);
        long owner = ownerIn(word);
        if (NativeOwners.isNative(owner) || owner == FREE || OpenGuards.count(cpu) != 0) {
            return false;
        }
        Thread thread = Owners.find(owner);
        if (thread == null || !StackTraces.canTell(thread) || !freeUnlessInside(cpu, thread, owner)) {
            return false;
        }
        Reports.leftBehind(cpu, owner);
        return true;
    }

    /** One thread at a time: two that both rely on a mark could not know whose it is. */
    private static synchronized boolean freeUnlessInside(int cpu, Thread thread, long owner) {
        long suspected = owner | SUSPECTED;
        // It may be marked already, by a thread that an error broke off in here.
        if (Ownership.word(cpu) != suspected && !Ownership.compareAndSetWord(cpu, owner, suspected)) {
            return false;
        }
        boolean inside = StackTraces.isInGuards(thread);
        VarHandle.fullFence();
        if (inside || OpenGuards.count(cpu) != 0) {
            boolean _ = Ownership.compareAndSetWord(cpu, suspected, owner);
            return false;
        }
        return free(cpu, suspected);
    }

    private static synchronized boolean free(int cpu, long word) {
        if (!Ownership.compareAndSetWord(cpu, word, BEING_FREED)) {
            return false;
        }
        OpenGuards.endAll(cpu);
        // With a count left behind, C code would never free the CPU.
        Area.LONG.set(Area.MEMORY, Area.offset(cpu, CpuHeader.NATIVE_NESTED), 0L);
        Ownership.release(cpu);
        return true;
    }
}

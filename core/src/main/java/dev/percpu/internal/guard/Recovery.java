package dev.percpu.internal.guard;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.failure.Log;
import dev.percpu.internal.failure.Reporter;
import dev.percpu.internal.protocol.CurrentCpu;
import dev.percpu.internal.protocol.GuardWords;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;

/**
 * Frees CPUs that their owner will not free. Either the owner has ended, or it is alive but has no open guard because
 * an error interrupted its acquisition or its close.
 *
 * <p>Freeing takes several steps, so the word is marked first ({@link #BEING_FREED}). If an error interrupts the steps,
 * the next thread that finds the mark starts again: each step can be repeated.
 *
 * <p><b>A living owner without a guard.</b> Its id is in the word and its count of open guards is 0. But the same is
 * true for a moment in each acquisition, between the sequence and the count, and in each close, between the count and
 * the release; and a thread can be preempted there for long. The owner's stack trace tells the two apart: in that
 * moment the thread is inside this package or {@link dev.percpu.CpuGuard}.
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
 * <p>If O was in the middle of an acquisition at 1, then either it is still inside at 2, or it has counted before 2.
 * Taking the trace stops O, so W sees the count. If O starts to acquire after 1, the word is not 0, so O takes the slow
 * path and frees the word there itself, by compare-and-set from the value it finds. Either this compare-and-set fails
 * or 4 does. If O had a guard at 1 and releases it, that is a plain store of 0, which makes 3 or 4 fail. So all this
 * costs O nothing as long as nothing goes wrong.
 */
final class Recovery {
    static final long FREE = 0;

    private static final long SUSPECTED = GuardWords.SUSPECTED;

    /** Not free, and without an owner. */
    private static final long BEING_FREED = SUSPECTED;

    private Recovery() {}

    /** Initializes all classes that recovery needs, and what a thread without a CPU id needs. */
    static void initialize() {
        MethodHandles.Lookup lookup = MethodHandles.lookup();
        for (Class<?> needed : List.of(
                Owners.class,
                OpenGuards.class,
                NativeOwners.class,
                Wait.class,
                Reports.class,
                Reporter.class,
                Log.class,
                Suspects.class,
                StackTraces.class,
                CurrentCpu.class)) {
            try {
                lookup.ensureInitialized(needed);
            } catch (IllegalAccessException e) {
                throw new AssertionError(e);
            }
        }
    }

    /**
     * Frees a CPU if its owner has ended, or if it has had no open guard for some time. Whoever finds the CPU taken
     * calls this, whether or not it waits.
     *
     * @return whether it freed the CPU
     */
    static boolean freeIfAbandoned(Thread me, int cpu) {
        long word = Ownership.word(cpu);
        long owner = GuardWords.ownerIn(word);
        if (owner == me.threadId()) {
            return freeOwn(me, cpu);
        }
        if (word == BEING_FREED) {
            return free(cpu, word);
        }
        if (owner == FREE) {
            return false;
        }
        return freeIfDead(cpu, word, owner)
                || (seemsLeftBehind(cpu, owner) && Suspects.isDue(cpu, owner) && freeIfLeftBehind(cpu));
    }

    private static boolean seemsLeftBehind(int cpu, long owner) {
        return !NativeOwners.isNative(owner) && OpenGuards.count(cpu) == 0;
    }

    /** Frees a CPU that the current thread owns without an open guard. */
    static boolean freeOwn(Thread me, int cpu) {
        long word = Ownership.word(cpu);
        while (GuardWords.ownerIn(word) == me.threadId() && OpenGuards.count(cpu) == 0) {
            if (Ownership.compareAndSetWord(cpu, word, FREE)) {
                return true;
            }
            // Another thread has marked the word, or removed its mark.
            word = Ownership.word(cpu);
        }
        return false;
    }

    /**
     * Frees a CPU whose owner has ended. Everything that the owner wrote is visible here. Its end was reported by
     * {@link Thread#isAlive}, by the kernel, or by the garbage collector, which stops or synchronizes with each thread
     * before it clears a reference.
     */
    private static boolean freeIfDead(int cpu, long word, long owner) {
        boolean ended = NativeOwners.isNative(owner) ? NativeOwners.hasEnded(cpu, owner) : Owners.hasEnded(owner);
        if (!ended || !free(cpu, word)) {
            return false;
        }
        Reports.takenOver(cpu, owner);
        return true;
    }

    /** Frees a CPU whose owner is alive, but has no open guard and is not about to have one. */
    static boolean freeIfLeftBehind(int cpu) {
        long word = Ownership.word(cpu);
        long owner = GuardWords.ownerIn(word);
        if (owner == FREE || !seemsLeftBehind(cpu, owner)) {
            return false;
        }
        Thread thread = Owners.find(owner);
        if (thread == null || !StackTraces.canTell(thread) || !freeUnlessInside(cpu, thread, owner)) {
            return false;
        }
        Reports.leftBehind(cpu, owner);
        return true;
    }

    /**
     * Frees a CPU whose owner has no open guard, unless the owner is about to have one, or to free the CPU itself. Runs
     * in one thread at a time: two that both rely on a mark could not tell whose it is.
     */
    static synchronized boolean freeUnlessInside(int cpu, Thread thread, long owner) {
        long suspected = owner | SUSPECTED;
        // The word may be marked already, if an error interrupted an earlier thread in here.
        if (Ownership.word(cpu) != suspected && !Ownership.compareAndSetWord(cpu, owner, suspected)) {
            return false;
        }
        boolean inside = StackTraces.isInGuards(thread);
        VarHandle.fullFence();
        boolean open = inside || OpenGuards.count(cpu) != 0;
        // The owner can have had a guard open at the first trace, and begin to close it before the count is read:
        //
        //   owner O, in a guard                         this thread
        //                                               1. trace: O is in its own code
        //   2. close: sets the count to 0
        //                                               3. reads the count: 0
        //                                               4. would free the CPU
        //   5. close: stores 0, over the next owner
        //
        // So it is traced again. If it is outside now, its close is over, and its 0 replaced the mark: the trace
        // stops the thread, so its stores are visible. If it has acquired the CPU since, the word has no mark. Then
        // freeing fails. (Or O found no stack to call close, and stored the count alone: see OpenGuards.COUNTS. Then
        // nothing more follows, and freeing is right.)
        if (open || StackTraces.isInGuards(thread)) {
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
        // If a count were left behind, C code would never free the CPU.
        Area.LONG.set(Area.MEMORY, Area.offset(cpu, CpuHeader.NATIVE_NESTED), 0L);
        // This fails if a sequence has acquired the CPU meanwhile: one that saw a 0 earlier, and that an error kept a
        // thread from restarting.
        boolean _ = Ownership.compareAndSetWord(cpu, BEING_FREED, FREE);
        return true;
    }
}

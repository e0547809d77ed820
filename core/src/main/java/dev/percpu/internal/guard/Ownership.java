package dev.percpu.internal.guard;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.protocol.CurrentCpu;
import dev.percpu.internal.protocol.GuardWords;
import org.jspecify.annotations.Nullable;

/**
 * The guard words: who owns which CPU's data.
 *
 * <p>A word is 0 if the guard is free. Otherwise it is the owner's {@link Thread#threadId()}, which is never reused, or
 * a negative number: see {@link NativeOwners}. The fast path is {@link GuardWords#tryAcquire}; this class handles a
 * word that is not 0.
 *
 * <p>There is no deadlock, since a thread with an open guard never waits for another guard: if it asks for one, it gets
 * a nested guard of a CPU that it owns. Acquiring a CPU runs no code of the user's either, and another thread does the
 * logging. (There are two exceptions, both while a thread waits, so before it owns the CPU. If the owner's thread is of
 * a class of the user's, {@link StackTraces#canTell} looks up a method of that class. The JVM may then ask that class's
 * loader for the types of its methods. And {@link Wait} calls {@link Thread#interrupt}, which a class of the user's may
 * override.)
 *
 * <p>A thread owns a CPU from the moment its id is in the word. {@link OpenGuards} counts the guards of it that the
 * thread has open. An error between the two (the stack can overflow anywhere) leaves a CPU with an owner and no open
 * guard. The owner frees such a CPU the next time it acquires a guard there. Until it does, a waiting thread may free
 * it: see {@link Recovery}.
 */
public final class Ownership {
    /** What methods that do not wait, or wait for a limited time, return if another thread owns the CPU. */
    public static final int TAKEN = -1;

    private static final GuardWords GUARD_WORDS = GuardWords.CURRENT;

    static {
        // A class whose initializer fails stays unusable, and the first use may come when the heap or stack is full. So
        // all of them are initialized before the first guard is acquired.
        Recovery.initialize();
    }

    private Ownership() {}

    /** Forces this class to initialize: see {@link dev.percpu.internal.protocol.Sums#initialize}. */
    public static void initialize() {
        // Calling this is enough.
    }

    /** Says what {@code CpuGuard} is called in stack traces: a tool may have renamed it. */
    public static void setGuardClass(String name) {
        StackTraces.setGuard(name);
    }

    /**
     * Continues an acquisition of the current CPU whose first attempt returned {@code first}.
     *
     * @return the CPU that the thread now owns
     */
    public static int acquire(Thread me, int first) {
        int cpu = acquireOrNest(me, first);
        if (cpu >= 0) {
            return cpu;
        }
        NativeOwners.checkNoneHeldHere("the guard of CPU ", ~cpu);
        return Wait.forAnyCpu(me, ~cpu).untilAcquired();
    }

    /**
     * Like {@link #acquire}, but waits for a limited time, and an interrupt ends the wait.
     *
     * @param nanos how long to wait at most; if this is not positive, the thread does not wait
     * @return {@link #TAKEN} if the time ran out
     */
    public static int acquire(Thread me, int first, long nanos) throws InterruptedException {
        int cpu = acquireOrNest(me, first);
        if (cpu >= 0 || nanos <= 0) {
            return Math.max(cpu, TAKEN);
        }
        NativeOwners.checkNoneHeldHere("the guard of CPU ", ~cpu);
        return Wait.forAnyCpu(me, ~cpu).untilAcquired(nanos);
    }

    /** Like {@link #acquire}, but returns {@link #TAKEN} instead of waiting. */
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
        refuseToWait("the guard of CPU ", cpu);
        return Wait.forCpu(me, cpu).untilAcquired();
    }

    /**
     * Like {@link #acquireOn}, but waits for a limited time, and an interrupt ends the wait.
     *
     * @param nanos how long to wait at most; if this is not positive, the thread does not wait
     * @return {@link #TAKEN} if the time ran out
     */
    public static int acquireOn(Thread me, int cpu, long nanos) throws InterruptedException {
        int outcome = tryAcquireOn(me, cpu);
        if (outcome >= 0 || nanos <= 0) {
            return outcome;
        }
        refuseToWait("the guard of CPU ", cpu);
        return Wait.forCpu(me, cpu).untilAcquired(nanos);
    }

    /** Like {@link #acquireOn}, but returns {@link #TAKEN} instead of waiting. */
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
     * Throws if the current thread holds a guard, so that it must not wait. The thread that it would wait for may need
     * that guard, and then neither could go on.
     *
     * @param kind how the object of "wait for" begins
     * @param which how it ends: this is no part of the string, which would be built for each wait
     * @throws IllegalStateException if the thread holds a guard, in Java or in C code that called this Java code
     */
    public static void refuseToWait(String kind, Object which) {
        int owned = ownedBy(Thread.currentThread());
        if (owned >= 0) {
            throw new IllegalStateException("this thread holds the guard of CPU " + owned + ", so it must not wait for "
                    + kind + which + ": the thread that it would wait for may be waiting for this guard. Close the"
                    + " guard first, or use a method that does not wait, if there is one");
        }
        NativeOwners.checkNoneHeldHere(kind, which);
    }

    /** Frees a CPU of which the thread has no open guard any more. */
    public static void release(int cpu) {
        GUARD_WORDS.release(cpu);
    }

    /** Frees a CPU that the thread owns without an open guard; does nothing if there is no such CPU. */
    public static void releaseLeftBehind(Thread me, int cpu) {
        boolean _ = Recovery.freeOwn(me, cpu);
    }

    /** The id of the thread that owns the CPU; 0 if it is free. */
    public static long owner(int cpu) {
        return GuardWords.ownerIn(word(cpu));
    }

    /**
     * The thread that owns the CPU; null if the CPU is free, its owner is C code, or its owner has ended and
     * been collected.
     */
    public static @Nullable Thread ownerThread(int cpu) {
        return Owners.find(owner(cpu));
    }

    /** The message for a thread that uses another one's guard. Not in the guard, whose methods have to be inlined. */
    public static String describeWrongThread(int cpu, Thread owner) {
        return "the guard of CPU " + cpu + " belongs to " + Reports.describe(owner)
                + ": only that thread can use and close it, not " + Reports.describe(Thread.currentThread());
    }

    /** Describes the owner with an id from a guard word, for messages. */
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

    /** Whether the thread has open guards of a CPU. If it owns the CPU without any, this frees the CPU. */
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

    /**
     * One attempt without waiting: a CPU that the thread now owns or owned already, or the complement of the CPU that
     * is taken.
     */
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

    /** One attempt of a waiting thread, which holds no guard: a CPU, or the complement of the CPU that is taken. */
    static int attempt(Thread me) {
        return acquireOnce(me, GUARD_WORDS.tryAcquire(me.threadId()));
    }

    /** The same for a given CPU. */
    static int attemptOn(Thread me, int cpu) {
        return GUARD_WORDS.tryAcquireOn(cpu, me.threadId()) ? cpu : ~cpu;
    }

    /** A thread without a CPU id acquires the CPU it runs on in the way that it would acquire another CPU. */
    private static int acquireOnce(Thread me, int outcome) {
        return outcome == GuardWords.NO_CPU ? attemptOn(me, CurrentCpu.CURRENT.get()) : outcome;
    }
}

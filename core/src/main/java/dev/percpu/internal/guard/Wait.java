package dev.percpu.internal.guard;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.jfr.Recording;
import dev.percpu.internal.protocol.CurrentCpu;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** One thread's wait for a guard: it spins, yields, sleeps, and checks an owner that takes long. */
final class Wait {
    /** The owner may be running on another CPU by now, and about to release. */
    private static final int SPINS = 32;

    /** More often the owner was preempted on this very CPU, and runs again when this thread yields. */
    private static final int YIELDS = 64;

    private static final long SHORTEST_PARK = TimeUnit.MICROSECONDS.toNanos(20);
    private static final long LONGEST_PARK = TimeUnit.MILLISECONDS.toNanos(50);

    /**
     * The more threads sleep, the longer each sleeps, up to a limit. So all of them together wake up a few hundred
     * times a second. One of them still notices a release soon.
     */
    private static final long LONGEST_PARK_FOR_EACH_SLEEPER = TimeUnit.MILLISECONDS.toNanos(2);

    private static final long LONGEST_PARK_OF_MANY = TimeUnit.MILLISECONDS.toNanos(250);

    /**
     * A thread sleeps for this fraction of the time that it has waited already. So it notices a release with a delay
     * that is small compared with its whole wait. And however long an owner takes, the waiting threads use next to no
     * processor time.
     */
    private static final int PART = 4;

    /** How many threads sleep while they wait for each CPU's guard. {@link #pause} and the reports use it. */
    private static final AtomicIntegerArray SLEEPERS = new AtomicIntegerArray(PaddedArray.length(Area.CPUS));

    /**
     * The owner of each CPU's guard that a waiting thread saw last, since when, and when last. They are guarded by the
     * lock of the class.
     */
    private static final long[] SEEN = new long[Area.CPUS];

    private static final long[] SEEN_SINCE = new long[Area.CPUS];
    private static final long[] SEEN_LAST = new long[Area.CPUS];

    private final Thread me;

    /** Whether it waits for the one CPU, and not for whichever CPU the thread is on. */
    private final boolean isForOneCpu;

    private final long start = System.nanoTime();
    private int cpu;
    private int rounds;

    /** It begins when the thread no longer only spins. Null if the wait is not recorded. */
    private Recording.@Nullable RecordedWait event;

    /** The owner seen last, and the time after which to report it. */
    private long owner;

    private long reportAfter = Reports.LONG_NANOS;

    private Wait(Thread me, int cpu, boolean isForOneCpu) {
        this.me = me;
        this.cpu = cpu;
        this.isForOneCpu = isForOneCpu;
    }

    /** For the guard of a given CPU. */
    static Wait forCpu(Thread me, int cpu) {
        return new Wait(me, cpu, true);
    }

    /**
     * For the guard of the CPU that the thread is on at each attempt.
     *
     * @param taken the CPU of the last attempt
     */
    static Wait forAnyCpu(Thread me, int taken) {
        return new Wait(me, taken, false);
    }

    /**
     * Waits without reacting to interrupts, as a lock does. If an interrupt came, the thread's interrupt flag is
     * set afterwards.
     *
     * @return the CPU that it acquired
     */
    int untilAcquired() {
        try {
            return untilAcquired(Long.MAX_VALUE, false);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted without waiting interruptibly", e);
        }
    }

    /** Like {@link #untilAcquired()}, but for a limited time; {@link Ownership#TAKEN} if that ran out. */
    int untilAcquired(long nanos) throws InterruptedException {
        return untilAcquired(nanos, true);
    }

    private int untilAcquired(long nanos, boolean interruptible) throws InterruptedException {
        boolean interrupted = false;
        boolean acquired = false;
        try {
            while (true) {
                if (Thread.interrupted()) {
                    if (interruptible) {
                        throw new InterruptedException("while waiting for the guard of CPU " + cpu);
                    }
                    interrupted = true;
                }
                long waited = System.nanoTime() - start;
                if (waited >= nanos) {
                    return Ownership.TAKEN;
                }
                if (rounds == SPINS) {
                    beginEvent();
                }
                if (pause(waited, nanos - waited)) {
                    checkOwner();
                }
                if (interrupted) {
                    // The flag stays cleared while the guard is taken: an interrupted thread would not sleep.
                    int taken = takenCpu();
                    if (taken >= 0) {
                        cpu = taken;
                        continue;
                    }
                    // Before the attempt: a subclass of Thread can override this method. Its code must not run between
                    // the acquisition and the count of open guards, as any use of guards there would find a CPU that
                    // is owned with no guard open, and free it.
                    me.interrupt();
                }
                // No lambda: if the heap is full when the JVM first links it, no thread could ever wait again.
                int outcome = isForOneCpu ? Ownership.attemptOn(me, cpu) : Ownership.attempt(me);
                acquired = outcome >= 0;
                if (acquired) {
                    return outcome;
                }
                cpu = ~outcome;
            }
        } finally {
            try {
                Recording.end(event, acquired);
            } catch (Throwable noRoom) {
                // For the call itself. Once the thread has acquired the CPU, nothing may fail until its guard is
                // counted.
            }
            if (interrupted && !acquired) {
                me.interrupt();
            }
        }
    }

    /**
     * Begins the event and describes the owner while the thread still waits, even if the wait turns out too short to be
     * recorded. Afterwards it is too late: the thread may have a guard that is not counted yet, and describing a thread
     * of C code reads a file.
     */
    private void beginEvent() {
        event = Recording.beginGuardContended(cpu);
        if (event != null) {
            lookAtOwner();
        }
    }

    /** The CPU that an attempt would find taken; negative if its guard is free. */
    private int takenCpu() {
        int wanted = isForOneCpu ? cpu : CurrentCpu.CURRENT.get();
        return Ownership.word(wanted) == Recovery.FREE ? Ownership.TAKEN : wanted;
    }

    /** Pauses briefly, longer each time; true if it slept. */
    @SuppressWarnings("ThreadPriorityCheck") // a yield lets an owner run that was preempted on this CPU
    private boolean pause(long waited, long left) {
        rounds++;
        if (rounds <= SPINS) {
            Thread.onSpinWait();
            return false;
        }
        if (rounds <= SPINS + YIELDS) {
            Thread.yield();
            return false;
        }
        int index = PaddedArray.index(cpu);
        int sleepers = SLEEPERS.incrementAndGet(index);
        try {
            long longest = Math.clamp(sleepers * LONGEST_PARK_FOR_EACH_SLEEPER, LONGEST_PARK, LONGEST_PARK_OF_MANY);
            LockSupport.parkNanos(this, Math.min(left, Math.clamp(waited / PART, SHORTEST_PARK, longest)));
        } finally {
            SLEEPERS.decrementAndGet(index);
        }
        return true;
    }

    /** Many owners in succession are contention, which is normal. One owner that stays may be dead, or at fault. */
    private void checkOwner() {
        boolean _ = Recovery.freeIfAbandoned(me, cpu);
        long now = System.nanoTime();
        lookAtOwner();
        // No longer than this thread has waited: for others the owner may have come and gone.
        long age = Math.min(now - seenSince(cpu, owner, now), now - start);
        if (age >= reportAfter && owner != Recovery.FREE) {
            reportAfter = age + Reports.REPEAT_NANOS;
            Reports.longHeld(cpu, owner, age, SLEEPERS.get(PaddedArray.index(cpu)) + 1);
        } else if (age >= reportAfter / 2) {
            Reports.prepare();
        }
    }

    private void lookAtOwner() {
        long current = Ownership.owner(cpu);
        if (current != owner) {
            owner = current;
            reportAfter = Reports.LONG_NANOS;
            if (event != null && current != Recovery.FREE) {
                Reports.contended(event, cpu, current);
            }
        }
    }

    /**
     * Since when waiting threads have seen one owner at a CPU. They share this, and it goes by CPU: a thread that moves
     * sees another owner after each move, and its time must not start again. It does if nobody has looked for long.
     */
    private static synchronized long seenSince(int cpu, long owner, long now) {
        if (SEEN[cpu] != owner || now - SEEN_LAST[cpu] > Reports.LONG_NANOS) {
            SEEN[cpu] = owner;
            SEEN_SINCE[cpu] = now;
        }
        SEEN_LAST[cpu] = now;
        return SEEN_SINCE[cpu];
    }
}

package dev.percpu.internal.guard;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;

/** One thread's wait for a guard: it spins, yields, parks, and looks after an owner that takes long. */
final class Wait {
    /** The owner may run on another CPU by now and be about to release. */
    private static final int SPINS = 32;

    /** More often it was preempted on this very CPU, and runs again when this thread lets it. */
    private static final int YIELDS = 64;

    private static final long SHORTEST_PARK = TimeUnit.MICROSECONDS.toNanos(20);
    private static final long LONGEST_PARK = TimeUnit.MICROSECONDS.toNanos(200);

    /** From here on an owner that stays is reported. */
    private static final long LONG = TimeUnit.SECONDS.toNanos(2);

    private final Thread me;
    private int cpu;

    /** The owner seen last, and since when. */
    private long owner;

    private long ownerSince;
    private int rounds;
    private long park = SHORTEST_PARK;
    private boolean reported;

    Wait(Thread me, int cpu) {
        this.me = me;
        this.cpu = cpu;
    }

    /** @param attempt returns the CPU that it acquired, or the complement of the one that is taken */
    int untilAcquired(IntSupplier attempt) {
        boolean interrupted = false;
        try {
            while (true) {
                if (pause()) {
                    interrupted |= Thread.interrupted();
                    if (Ownership.takeOverIfDead(cpu, me)) {
                        return cpu;
                    }
                    reportIfLong();
                }
                int outcome = attempt.getAsInt();
                if (outcome >= 0) {
                    return outcome;
                }
                cpu = ~outcome;
            }
        } finally {
            if (interrupted) {
                // A guard is waited for without interruption, as a lock is; the caller sees the interrupt afterwards.
                me.interrupt();
            }
        }
    }

    /** Waits a little, longer each time; true if it parked. */
    @SuppressWarnings("ThreadPriorityCheck") // a yield lets an owner run that was preempted on this CPU
    private boolean pause() {
        rounds++;
        if (rounds <= SPINS) {
            Thread.onSpinWait();
            return false;
        }
        if (rounds <= SPINS + YIELDS) {
            Thread.yield();
            return false;
        }
        LockSupport.parkNanos(this, park);
        park = Math.min(2 * park, LONGEST_PARK);
        return true;
    }

    /** Many owners one after the other are contention, and nobody's fault; one owner that stays is reported. */
    private void reportIfLong() {
        long current = Ownership.owner(cpu);
        long now = System.nanoTime();
        if (current != owner) {
            owner = current;
            ownerSince = now;
            reported = false;
        } else if (!reported && owner != 0 && now - ownerSince >= LONG) {
            reported = true;
            Reports.longWait(me, cpu, Ownership.describe(owner, Ownership.ownerThread(cpu)), now - ownerSince);
        }
    }
}

package dev.percpu.concurrent;

import dev.percpu.CpuGuard;
import dev.percpu.internal.guard.Reports;
import dev.percpu.internal.guard.UnaskedLooks;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** How long threads wait for an id, or for another thread's guard, until they look again. */
abstract class AwaitedIds extends SharedIds {
    /*
     * A thread that waits for an id is told when to look: see PooledIds. But an error may break a release off between
     * its push and the look that follows it. Then no thread tells the waiting one. So a few of the waiting threads
     * also look unasked from time to time. Not all of them: when its time is over, a thread leaves the queue of those
     * that wait for the condition, and for that it walks through the queue, with the lock. If a thread's wait ends and
     * none of those that still wait is one of the few, it wakes one: that one looks, and becomes one of the few if it
     * waits again.
     *
     * As long as the pool is open, a release waits for no other thread's guard:
     *
     *   thread G gives an id back                  others
     *                                              1. a search sets "direct", and finds nothing
     *   2. pushes the id
     *                                              3. U acquires the guard of that CPU
     *   4. "direct" is true, but U has the guard
     *
     * U may keep its guard for ever. So G wakes all that wait and returns. They find the guard taken too, and look
     * again every few milliseconds until U is done. A later search also finds the id: "direct" is still set, and the
     * lock orders 2 before that search.
     *
     * If the pool was closed at 1, nobody will look for the id, and its object would not be destroyed. So G waits for
     * U, but not for longer than a correct program holds a guard.
     */

    /** For how long a thread with a time limit waits until it tries a guard again: at first, and at most. */
    static final long SHORTEST_LOOK = TimeUnit.MICROSECONDS.toNanos(50);

    static final long LONGEST_LOOK = TimeUnit.MILLISECONDS.toNanos(5);

    /** How many of the waiting threads look unasked. If it were one, each that goes would have to wake another. */
    private static final int MOST_LOOKING = 4;

    /**
     * How long a release waits for another thread's guard at most. An owner that holds one for longer is at fault, and
     * is reported.
     */
    private static final long PATIENCE = Reports.LONG_NANOS;

    /** After how long a waiting thread looks, although nobody told it to, if it is one of those that do. */
    final long lookUnasked = UnaskedLooks.nanos();

    /** How many of the waiting threads look unasked. Atomic for the same reason as {@link #waiting}. */
    final AtomicInteger looking = new AtomicInteger();

    private final LongWaitReports longWaitReports = new LongWaitReports();

    AwaitedIds(int capacity, String label) {
        super(capacity, label);
    }

    /**
     * Waits for a signal, without the lock. A few of the threads that wait here return earlier, to look unasked. If
     * this throws an error, the thread may not have the lock any more.
     *
     * @param nanos for how long at most
     * @param look for how long at most, if the thread is one of those few
     */
    final void awaitSignalOrLook(long nanos, long look) throws InterruptedException {
        boolean looks = looking.get() < MOST_LOOKING;
        if (looks) {
            looking.incrementAndGet();
        }
        try {
            awaitSignal(looks ? Math.min(nanos, look) : nanos);
        } finally {
            if (looks) {
                looking.decrementAndGet();
            }
            // This thread may not come back. It has taken no id yet, which an error here would lose.
            if (looking.get() == 0 && waiting.get() > 0 && isLocked()) {
                signal();
            }
        }
    }

    /**
     * Reports a wait if it began long ago, without the lock. Meanwhile the thread does not count as waiting, so no
     * release signals it. It has used up any earlier signal by looking. So the caller looks once more before it waits.
     *
     * @param busy whether an idle id lies on the stack of a CPU whose guard another thread has
     * @return whether the lock was released
     */
    final boolean reportIfLong(long start, boolean busy) {
        long waited = System.nanoTime() - start;
        if (!longWaitReports.isNews(waited)) {
            return false;
        }
        int capacity = capacity();
        long held = Math.max(0, capacity - vacant.size() - idle.size() - total());
        int waiters = waiting.get() + 1;
        int guard = busy ? busyCpu : NO_CPU;
        unlock();
        try {
            LongWaitReports.report(label, capacity, held, waiters, waited, guard);
        } finally {
            lockAgain();
        }
        return true;
    }

    /**
     * Waits for a moment, or not. A release that has found a guard taken calls this, with the lock.
     *
     * @param start when it first looked
     * @return false if it did not wait
     */
    final boolean waitForGuard(long start) {
        if (!closed || CpuGuard.isHeldByCurrentThread() || System.nanoTime() - start > PATIENCE) {
            return false;
        }
        boolean interrupted = Thread.interrupted();
        try {
            awaitSignal(LONGEST_LOOK);
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        return true;
    }
}

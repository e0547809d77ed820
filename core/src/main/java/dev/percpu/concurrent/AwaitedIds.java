package dev.percpu.concurrent;

import dev.percpu.CpuGuard;
import dev.percpu.internal.guard.Reports;
import dev.percpu.internal.guard.UnaskedLooks;
import java.util.concurrent.TimeUnit;

/** How long threads wait for an id, or for another thread's guard, until they look again. */
abstract class AwaitedIds extends SharedIds {
    /*
     * A thread that waits for an id is told when to look: see PooledIds. But an error may break a release off between
     * its push and the look that follows it. Then no thread tells the waiting one. So a waiting thread also looks
     * unasked from time to time.
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

    /** Each waiting thread adds to the time, so all of them together look a thousand times a second at most. */
    private static final long LOOK_UNASKED_FOR_EACH = TimeUnit.MILLISECONDS.toNanos(1);

    /**
     * If many wait, each adds this for each. A thread whose time is over leaves the condition's queue, and for that it
     * walks through all that wait, with the lock. That takes about a hundredth of this for each of them. So after a
     * while all looks together take about a hundredth of a processor, however many threads wait.
     */
    private static final long LOOK_UNASKED_FOR_EACH_PASSED = TimeUnit.MICROSECONDS.toNanos(10);

    /**
     * How long a release waits for another thread's guard at most. An owner that holds one for longer is at fault, and
     * is reported.
     */
    private static final long PATIENCE = Reports.LONG_NANOS;

    /** After how long a waiting thread looks, although nobody told it to. */
    private final long lookUnasked = UnaskedLooks.nanos();

    private final LongWaitReports longWaitReports = new LongWaitReports();

    AwaitedIds(int capacity, String label) {
        super(capacity, label);
    }

    final long untilUnasked() {
        long threads = waiting.get();
        return lookUnasked + threads * Math.max(LOOK_UNASKED_FOR_EACH, threads * LOOK_UNASKED_FOR_EACH_PASSED);
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

package dev.percpu.concurrent;

import dev.percpu.internal.guard.Ownership;
import java.util.concurrent.locks.Condition;

/** How long a thread waits for something, and whether an interrupt ends that. */
@FunctionalInterface
@SuppressWarnings("WaitNotInLoop") // the loop is the caller's, see await
interface Patience {
    /** What all of them wait for. */
    String WHAT = "a per-CPU read-write lock";

    /** Does not wait at all. */
    Patience NONE = _ -> false;

    Patience UNINTERRUPTIBLE = condition -> {
        Ownership.refuseToWait(WHAT);
        condition.awaitUninterruptibly();
        return true;
    };

    Patience INTERRUPTIBLE = condition -> {
        Ownership.refuseToWait(WHAT);
        condition.await();
        return true;
    };

    /** Waits until so much time has gone by, from now on, or until it is interrupted; without time it does not wait. */
    static Patience ofNanos(long nanos) {
        long start = System.nanoTime();
        // The time that has gone by, taken from a very negative number, would come out as centuries that are left.
        long most = Math.max(0, nanos);
        return condition -> {
            long left = most - (System.nanoTime() - start);
            if (left <= 0) {
                return false;
            }
            Ownership.refuseToWait(WHAT);
            condition.awaitNanos(left);
            return true;
        };
    }

    /**
     * Waits on a condition once; it may end for no reason, so this belongs in a loop.
     *
     * @return false if there was no time left, and so no waiting
     * @throws IllegalStateException if the thread would have to wait, and holds a guard
     */
    boolean await(Condition condition) throws InterruptedException;
}

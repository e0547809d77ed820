package dev.percpu.concurrent;

import dev.percpu.internal.guard.Ownership;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;

/** How long a thread waits for something, and whether an interrupt ends that. */
class WaitPolicy {
    private static final long FOR_EVER = Long.MAX_VALUE;

    /** Does not wait at all. */
    static final WaitPolicy NONE = new WaitPolicy(0, false);

    /** Waits for ever, and is not interrupted. */
    static final WaitPolicy UNINTERRUPTIBLE = new WaitPolicy(FOR_EVER, false);

    /** Waits for ever, or until it is interrupted. */
    static final WaitPolicy INTERRUPTIBLE = new WaitPolicy(FOR_EVER, true);

    private final long start = System.nanoTime();
    private final long limit;
    private final boolean interruptible;

    /**
     * @param limit how many nanoseconds it waits, counted from now; {@link #FOR_EVER} or 0 if it is not interruptible
     */
    WaitPolicy(long limit, boolean interruptible) {
        this.limit = limit;
        this.interruptible = interruptible;
    }

    /**
     * Waits for so much time, counted from now, or until it is interrupted. If the time is not positive, it does
     * not wait.
     */
    static WaitPolicy ofNanos(long nanos) {
        // With a very negative number, the subtraction in left() would overflow, and seem to leave centuries.
        return new WaitPolicy(Math.max(0, nanos), true);
    }

    /** Whether the thread may wait at all, if only by spinning. */
    final boolean waits() {
        return this != NONE;
    }

    /**
     * Waits on a condition once; it may end for no reason, so this belongs in a loop.
     *
     * @param most for how many nanoseconds at most, however long the policy would wait
     * @param label names the read-write lock in messages
     * @return false if there was no time left, and so no waiting
     * @throws IllegalStateException if the thread would have to wait, and holds a guard
     */
    @SuppressWarnings("WaitNotInLoop") // the loop is the caller's
    boolean await(Condition condition, long most, String label) throws InterruptedException {
        long left = left();
        if (left <= 0) {
            return false;
        }
        Ownership.refuseToWait("a lock of ", label);
        long nanos = Math.min(left, most);
        if (interruptible) {
            long _ = condition.awaitNanos(nanos);
        } else {
            awaitUninterruptibly(condition, nanos);
        }
        return true;
    }

    /**
     * Conditions have no wait that is both limited and uninterruptible. With the flag cleared, this one really waits,
     * if an interrupt came before it.
     */
    @SuppressWarnings("WaitNotInLoop") // as above
    private static void awaitUninterruptibly(Condition condition, long nanos) {
        boolean interrupted = Thread.interrupted();
        try {
            long _ = condition.awaitNanos(nanos);
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * Locks a lock, and waits for it if necessary. An error may leave it locked or not.
     *
     * @param label names the read-write lock in messages
     * @return false if there was not enough time
     * @throws IllegalStateException if the thread would have to wait, and holds a guard
     */
    @SuppressWarnings("LockNotBeforeTry") // it is the caller's to unlock
    boolean lock(Lock line, String label) throws InterruptedException {
        long left = left();
        if (left <= 0) {
            return false;
        }
        Ownership.refuseToWait("a lock of ", label);
        if (!interruptible) {
            line.lock();
        } else if (limit == FOR_EVER) {
            // Not tryLock: with any limit, each virtual thread that waits would have a timer.
            line.lockInterruptibly();
        } else {
            return line.tryLock(left, TimeUnit.NANOSECONDS);
        }
        return true;
    }

    private long left() {
        return limit - (System.nanoTime() - start);
    }
}

package dev.percpu.concurrent;

import dev.percpu.internal.guard.Ownership;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;

/** How long a thread waits for something, and whether an interrupt ends that. */
@SuppressWarnings("WaitNotInLoop") // the loop is the caller's, see await
interface WaitPolicy {
    /** Does not wait at all. */
    WaitPolicy NONE = new WaitPolicy() {
        @Override
        public boolean waits() {
            return false;
        }

        @Override
        public boolean await(Condition condition, long most, String label) {
            return false;
        }

        @Override
        public boolean lock(Lock line, String label) {
            return false;
        }
    };

    /** Waits for ever, and is not interrupted. */
    WaitPolicy UNINTERRUPTIBLE = new WaitPolicy() {
        @Override
        public boolean await(Condition condition, long most, String label) {
            Ownership.refuseToWait("a lock of ", label);
            // Conditions have no wait that is both limited and uninterruptible. With the flag cleared, this one really
            // waits, if an interrupt came before it.
            boolean interrupted = Thread.interrupted();
            try {
                long _ = condition.awaitNanos(most);
            } catch (InterruptedException e) {
                interrupted = true;
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
            return true;
        }

        @Override
        @SuppressWarnings("LockNotBeforeTry") // it is the caller's to unlock
        public boolean lock(Lock line, String label) {
            Ownership.refuseToWait("a lock of ", label);
            line.lock();
            return true;
        }
    };

    /** Waits for ever, or until it is interrupted. */
    WaitPolicy INTERRUPTIBLE = new WaitPolicy() {
        @Override
        public boolean await(Condition condition, long most, String label) throws InterruptedException {
            Ownership.refuseToWait("a lock of ", label);
            long _ = condition.awaitNanos(most);
            return true;
        }

        @Override
        @SuppressWarnings("LockNotBeforeTry") // it is the caller's to unlock
        public boolean lock(Lock line, String label) throws InterruptedException {
            Ownership.refuseToWait("a lock of ", label);
            line.lockInterruptibly();
            return true;
        }
    };

    /**
     * Waits for so much time, counted from now, or until it is interrupted. If the time is not positive, it does
     * not wait.
     */
    static WaitPolicy ofNanos(long nanos) {
        long start = System.nanoTime();
        // With a very negative number, the subtraction in left() would overflow, and seem to leave centuries.
        long limit = Math.max(0, nanos);
        return new WaitPolicy() {
            @Override
            public boolean await(Condition condition, long most, String label) throws InterruptedException {
                long left = left();
                if (left <= 0) {
                    return false;
                }
                Ownership.refuseToWait("a lock of ", label);
                long _ = condition.awaitNanos(Math.min(left, most));
                return true;
            }

            @Override
            public boolean lock(Lock line, String label) throws InterruptedException {
                long left = left();
                if (left <= 0) {
                    return false;
                }
                Ownership.refuseToWait("a lock of ", label);
                return line.tryLock(left, TimeUnit.NANOSECONDS);
            }

            private long left() {
                return limit - (System.nanoTime() - start);
            }
        };
    }

    /** Whether the thread may wait at all, if only by spinning. */
    default boolean waits() {
        return true;
    }

    /**
     * Waits on a condition once; it may end for no reason, so this belongs in a loop.
     *
     * @param most for how many nanoseconds at most, however long the policy would wait
     * @param label names the read-write lock in messages
     * @return false if there was no time left, and so no waiting
     * @throws IllegalStateException if the thread would have to wait, and holds a guard
     */
    boolean await(Condition condition, long most, String label) throws InterruptedException;

    /**
     * Locks a lock, and waits for it if necessary. An error may leave it locked or not.
     *
     * @param label names the read-write lock in messages
     * @return false if there was not enough time
     * @throws IllegalStateException if the thread would have to wait, and holds a guard
     */
    boolean lock(Lock line, String label) throws InterruptedException;
}

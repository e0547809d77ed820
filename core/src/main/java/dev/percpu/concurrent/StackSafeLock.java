package dev.percpu.concurrent;

import java.io.Serial;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A lock that a thread does not have if taking it threw. At the end of the stack, a {@link ReentrantLock} is taken in
 * the JVM's reserved part of the stack, and throws all the same. Its caller, whose {@code try} begins after the call,
 * would never release it.
 */
final class StackSafeLock extends ReentrantLock {
    @Serial
    private static final long serialVersionUID = 1;

    @Override
    @SuppressWarnings("LockNotBeforeTry") // the caller releases it
    public void lock() {
        int before = getHoldCount();
        boolean locked = false;
        try {
            super.lock();
            locked = true;
        } finally {
            if (!locked) {
                releaseDownTo(before);
            }
        }
    }

    @Override
    public boolean tryLock() {
        int before = getHoldCount();
        boolean done = false;
        try {
            boolean locked = super.tryLock();
            done = true;
            return locked;
        } finally {
            if (!done) {
                releaseDownTo(before);
            }
        }
    }

    /** Takes the lock after a wait that lost it. If this throws, the thread may have the lock, and should look. */
    void lockAgain() {
        super.lock();
    }

    private void releaseDownTo(int holds) {
        while (getHoldCount() > holds) {
            unlock();
        }
    }
}

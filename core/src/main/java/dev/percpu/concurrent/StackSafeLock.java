package dev.percpu.concurrent;

import java.io.Serial;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A lock that a thread does not have if taking it threw, and that it can release if it has it. A {@link ReentrantLock}
 * promises neither at the end of the stack. It is taken in the JVM's reserved part of the stack, and throws all the
 * same; its caller, whose {@code try} begins after the call, would never release it. And releasing it wakes a waiting
 * thread, which takes more stack than taking it.
 */
final class StackSafeLock extends ReentrantLock {
    @Serial
    private static final long serialVersionUID = 1;

    /** Together these take more stack than releasing the lock does, compiled or not. */
    private static final int FRAMES = 64;

    @Override
    @SuppressWarnings("LockNotBeforeTry") // the caller releases it
    public void lock() {
        int before = holdsAfterLook();
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
        int before = holdsAfterLook();
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

    /** Overflows the stack here, where nothing has happened yet, rather than later. */
    private int holdsAfterLook() {
        return use(FRAMES) + getHoldCount();
    }

    /** Calls itself a number of times, and returns 0. (The JVM makes no loop of such calls.) */
    private static int use(int frames) {
        return frames == 0 ? 0 : use(frames - 1);
    }

    private void releaseDownTo(int holds) {
        while (getHoldCount() > holds) {
            unlock();
        }
    }
}

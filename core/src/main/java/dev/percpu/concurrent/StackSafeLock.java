package dev.percpu.concurrent;

import dev.percpu.internal.protocol.StackRoom;
import java.io.Serial;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A lock that makes two promises. If taking it throws, the thread does not have it. If a thread has it, the thread can
 * release it. A {@link ReentrantLock} promises neither at the end of the stack. A thread can get it in the JVM's
 * reserved part of the stack, and the call throws all the same. The caller, whose {@code try} begins after the call,
 * would then never release it. And a release wakes a waiting thread, which takes more stack than taking the lock.
 *
 * <p>So this lock looks for room first. What its owner does has room too: see {@link StackRoom}.
 */
final class StackSafeLock extends ReentrantLock {
    @Serial
    private static final long serialVersionUID = 1;

    private static final StackRoom ROOM = StackRoom.CURRENT;

    @Override
    @SuppressWarnings("LockNotBeforeTry") // the caller releases it
    public void lock() {
        if (!isHeldByCurrentThread()) {
            ROOM.ensure();
        }
        super.lock();
    }

    /**
     * Takes the lock in the middle of an operation that has looked for room at its beginning. To look again, some
     * calls deeper, could fail. {@link #tryLock} does not look either, and is called only there.
     */
    void lockInRoom() {
        super.lock();
    }
}

package dev.percpu.internal.area;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/**
 * A lock that nobody waits for, even if its owner was preempted. It is not reentrant. The owner gives it up by a store
 * to a field and not by a call, for which the stack may have no room.
 */
final class TryLock {
    private static final AtomicIntegerFieldUpdater<TryLock> TAKEN =
            AtomicIntegerFieldUpdater.newUpdater(TryLock.class, "taken");

    /** 0 if it is free. Only the owner sets it to 0. */
    volatile int taken;

    boolean tryAcquire() {
        return TAKEN.compareAndSet(this, 0, 1);
    }
}

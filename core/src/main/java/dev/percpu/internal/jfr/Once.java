package dev.percpu.internal.jfr;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/** Does something once. If that fails, the next caller does it again. */
final class Once {
    private static final AtomicIntegerFieldUpdater<Once> BEGUN =
            AtomicIntegerFieldUpdater.newUpdater(Once.class, "begun");

    /** 0 until it is begun. A field and no object, since to store into a field takes no stack. */
    private volatile int begun;

    /** Does it, unless it was done, or another thread is doing it. */
    void run(Runnable action) {
        if (begun == 0 && BEGUN.compareAndSet(this, 0, 1)) {
            boolean done = false;
            try {
                action.run();
                done = true;
            } finally {
                if (!done) {
                    begun = 0;
                }
            }
        }
    }

    /** Says that something of it failed later, in another call. */
    void again() {
        begun = 0;
    }
}

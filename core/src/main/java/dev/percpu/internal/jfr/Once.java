package dev.percpu.internal.jfr;

import java.util.concurrent.atomic.AtomicBoolean;

/** Does something once. If that fails, the next caller does it again. */
final class Once {
    private final AtomicBoolean begun = new AtomicBoolean();

    /** Whether it failed. A field, since to set it takes no stack. */
    private volatile boolean failed;

    /** Does it, unless it was done, or another thread is doing it. */
    void run(Runnable action) {
        if (failed || (!begun.get() && begun.compareAndSet(false, true))) {
            failed = false;
            boolean done = false;
            try {
                action.run();
                done = true;
            } finally {
                if (!done) {
                    failed = true;
                }
            }
        }
    }

    /** Says that something of it failed later, in another call. */
    void again() {
        failed = true;
    }
}

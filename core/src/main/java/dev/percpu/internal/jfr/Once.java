package dev.percpu.internal.jfr;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** Does something once. If that fails, the next caller does it again. */
final class Once {
    private static final VarHandle BEGUN;

    static {
        try {
            BEGUN = MethodHandles.lookup().findVarHandle(Once.class, "begun", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** A field and no object, since to store into a field takes no stack. */
    private volatile boolean begun;

    /** Does it, unless it was done, or another thread is doing it. */
    void run(Runnable action) {
        if (!begun && BEGUN.compareAndSet(this, false, true)) {
            boolean done = false;
            try {
                action.run();
                done = true;
            } finally {
                if (!done) {
                    begun = false;
                }
            }
        }
    }

    /** Says that something of it failed later, in another call. */
    void again() {
        begun = false;
    }
}

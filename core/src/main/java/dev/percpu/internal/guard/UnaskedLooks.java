package dev.percpu.internal.guard;

import java.util.concurrent.TimeUnit;

/**
 * After how long a thread that waits for something looks again, although nobody told it to. Tests have it wait much
 * longer: then a wake-up that is lost leaves a thread waiting, and does not just cost it a second. Nothing but tests
 * changes this, and the package is not exported.
 */
public final class UnaskedLooks {
    private static final long NORMAL = TimeUnit.SECONDS.toNanos(1);

    private static volatile long nanos = NORMAL;

    private UnaskedLooks() {}

    /** What applies to a structure whose building begins now. */
    public static long nanos() {
        return nanos;
    }

    /** Changes what applies to the structures whose building begins from now on. */
    public static void set(long nanos) {
        UnaskedLooks.nanos = nanos;
    }

    /** Undoes {@link #set}. */
    public static void reset() {
        nanos = NORMAL;
    }
}

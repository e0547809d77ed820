package dev.percpu.stress.time;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * A time that goes by while this process runs, and not while it is stopped as a whole, or the machine is. Whoever waits
 * for a thread of this process by the clock alone would think, after such a stop, that the thread hangs. It is meant to
 * be read often: from one reading to the next, a second counts at most.
 */
public final class RunningTime {
    private static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final LongSupplier clock;
    private long last;
    private long nanos;

    /** Begins now. */
    public RunningTime() {
        this(System::nanoTime);
    }

    RunningTime(LongSupplier clock) {
        this.clock = clock;
        this.last = clock.getAsLong();
    }

    /** How many nanoseconds have gone by since the beginning. */
    public long nanos() {
        long now = clock.getAsLong();
        nanos += Math.min(now - last, MOST_NANOS);
        last = now;
        return nanos;
    }
}

package dev.percpu.benchmarks.programs;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * When a run measures: not before the JIT compiler rests. On two CPUs it works for about eight seconds of processor
 * time on such a program, beside the threads of the program itself. If the measurement began earlier, a good part of it
 * would be compilation.
 */
final class Timing {
    /** What the program does meanwhile. */
    enum Phase {
        WARM_UP,
        MEASUREMENT,
        OVER
    }

    /** A part of the warm-up. */
    @FunctionalInterface
    interface Piece<E extends Exception> {
        void pass(Duration time) throws InterruptedException, E;
    }

    private static final Duration PIECE = Duration.ofSeconds(1);

    /** The compiler rests if it works for so little of a piece of the warm-up. */
    private static final long RESTING_MILLIS = PIECE.toMillis() / 50;

    /** What takes long to compile is counted when it is done, so one piece without any says little. */
    private static final int RESTING_PIECES = 2;

    private final Duration longestWarmUp;
    private final Duration measured;
    private final LongSupplier compilationMillis;
    private volatile Phase phase = Phase.WARM_UP;

    /**
     * Of one run.
     *
     * @param longestWarmUp after which it measures even if the compiler still works
     * @param measured how long it measures
     */
    Timing(Duration longestWarmUp, Duration measured) {
        this(longestWarmUp, measured, ManagementFactory.getCompilationMXBean()::getTotalCompilationTime);
    }

    /** For tests. */
    Timing(Duration longestWarmUp, Duration measured, LongSupplier compilationMillis) {
        this.longestWarmUp = longestWarmUp;
        this.measured = measured;
        this.compilationMillis = compilationMillis;
    }

    Duration measured() {
        return measured;
    }

    Phase phase() {
        return phase;
    }

    /** Has the program run for a second, again and again, until the compiler rests or the time is up. */
    <E extends Exception> void warmUp(Piece<E> piece) throws InterruptedException, E {
        long before = compilationMillis.getAsLong();
        int resting = 0;
        for (long left = longestWarmUp.dividedBy(PIECE); left > 0 && resting < RESTING_PIECES; left--) {
            piece.pass(PIECE);
            long now = compilationMillis.getAsLong();
            resting = now - before <= RESTING_MILLIS ? resting + 1 : 0;
            before = now;
        }
    }

    /**
     * Waits while other threads run the program, and tells them by the phase what to do.
     *
     * @return how many nanoseconds they measured
     */
    long pass() throws InterruptedException {
        try {
            warmUp(Thread::sleep);
            phase = Phase.MEASUREMENT;
            long start = System.nanoTime();
            Thread.sleep(measured);
            return System.nanoTime() - start;
        } finally {
            phase = Phase.OVER;
        }
    }
}

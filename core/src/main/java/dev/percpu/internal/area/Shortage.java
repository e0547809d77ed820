package dev.percpu.internal.area;

import dev.percpu.memory.AreaFullException;
import java.lang.ref.WeakReference;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What is done when the area is full: the garbage collector knows nothing of this shortage, so it is asked to find the
 * variables that nobody can reach any more, as it is for direct buffers.
 *
 * <p>What that costs is bounded. A request that no collection can help causes none. Those that come while one is under
 * way wait for it. And after a collection that did not help, there is none for a while: for a second at least, and for
 * twenty times as long as it took.
 */
final class Shortage {
    private static final long SHORTEST_PAUSE = TimeUnit.SECONDS.toNanos(1);
    private static final long PAUSE_FACTOR = 20;

    /** How long the collector may take to announce what it found, which on a busy machine is not at once. */
    private static final long LONGEST_WAIT = TimeUnit.SECONDS.toNanos(4);

    /** What it found is announced in one go. */
    private static final long NOTHING_MORE_MILLIS = 20;

    private static final int GARBAGE_BYTES = 1 << 14;

    /** Volatile, or the compiler would not make what nobody reads. */
    private static volatile byte[] garbage = {};

    private final LongSupplier clock;
    private final Holdings holdings;

    /** How often a collection was asked for, for tests. Guarded by this object's lock, as all below is. */
    private long collections;

    private boolean paused;
    private long pausedSince;
    private long pause;

    /** Where the collector does not run by itself, as it never does with Epsilon, it is not made to again. */
    private boolean runsWhenItMust = true;

    Shortage(Holdings holdings) {
        this(holdings, System::nanoTime);
    }

    /** With a clock of its own, for tests. */
    Shortage(Holdings holdings, LongSupplier clock) {
        this.holdings = holdings;
        this.clock = clock;
    }

    synchronized long collections() {
        return collections;
    }

    /**
     * Tries again, once the collector has run, what found the area full.
     *
     * @param missing how many bytes have to come back at least for it to work, as far as is known at the moment
     * @throws AreaFullException if it is full all the same
     */
    long retry(LongSupplier attempt, LongSupplier missing, AreaFullException full) {
        // In this order: what comes back in between counts twice, which is better than not at all.
        if (holdings.bytes() < missing.getAsLong()) {
            throw full;
        }
        boolean interrupted = Thread.interrupted();
        try {
            return retryUninterrupted(attempt, full);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private synchronized long retryUninterrupted(LongSupplier attempt, AreaFullException full) {
        // Perhaps the thread before this one had a collection.
        Long position = tryAgain(attempt);
        if (position != null) {
            return position;
        }
        if (paused && clock.getAsLong() - pausedSince < pause) {
            throw full;
        }
        long start = clock.getAsLong();
        Holdings.Sentinel sentinel = holdings.sentinel();
        if (collect()) {
            position = awaitPieces(attempt, sentinel);
        }
        if (position != null) {
            paused = false;
            return position;
        }
        paused = true;
        pausedSince = clock.getAsLong();
        pause = Math.max(SHORTEST_PAUSE, PAUSE_FACTOR * (pausedSince - start));
        throw full;
    }

    private @Nullable Long awaitPieces(LongSupplier attempt, Holdings.Sentinel sentinel) {
        boolean interrupted = false;
        long start = System.nanoTime();
        try {
            while (true) {
                Long position = tryAgain(attempt);
                if (position != null) {
                    return position;
                }
                try {
                    boolean came = holdings.awaitReturn(NOTHING_MORE_MILLIS);
                    if (!came && (sentinel.isAnnounced() || System.nanoTime() - start > LONGEST_WAIT)) {
                        return tryAgain(attempt);
                    }
                } catch (InterruptedException e) {
                    // The exception has cleared the flag, so the next wait is one.
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static @Nullable Long tryAgain(LongSupplier attempt) {
        try {
            return attempt.getAsLong();
        } catch (AreaFullException full) {
            return null;
        }
    }

    /** Has the collector run; false if it did not. */
    private boolean collect() {
        collections++;
        var found = new WeakReference<>(new Object());
        System.gc();
        return found.refersTo(null) || collectByGarbage(found);
    }

    /**
     * Has the collector run where {@code -XX:+DisableExplicitGC} forbids to ask for it, by filling what it is waiting
     * to see filled. It would have run all the same, a little later.
     */
    private boolean collectByGarbage(WeakReference<Object> found) {
        Runtime runtime = Runtime.getRuntime();
        long free = runtime.maxMemory() - runtime.totalMemory() + runtime.freeMemory();
        for (long made = 0; runsWhenItMust && made < free / 2 && !found.refersTo(null); ) {
            made += makeGarbage();
        }
        runsWhenItMust = found.refersTo(null);
        return runsWhenItMust;
    }

    private static long makeGarbage() {
        garbage = new byte[GARBAGE_BYTES];
        return garbage.length;
    }
}

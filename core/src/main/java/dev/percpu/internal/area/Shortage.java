package dev.percpu.internal.area;

import java.lang.ref.WeakReference;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What to do when the area is full. The garbage collector does not know about this shortage, so this class asks it to
 * find variables that are no longer reachable, as the JDK does for direct buffers.
 *
 * <p>The cost is bounded. A request that no collection can help causes none. Requests that come while one is in
 * progress wait for it. After a collection that did not help, there is no other for a while: for at least a second, and
 * for twenty times as long as it took. Until then, what other collections find counts once it is given back.
 *
 * <p>What a collection has found unreachable can take any time on its way through the queue of references: a thread may
 * be preempted with it. So nobody waits for the queue. All pieces are looked at, and each whose holder is gone is given
 * back here, unless another thread has done that already.
 */
class Shortage {
    private static final long SHORTEST_PAUSE = TimeUnit.SECONDS.toNanos(1);
    private static final long PAUSE_FACTOR = 20;

    private static final long STILL_NONE = -1;

    private static final int GARBAGE_BYTES = 1 << 14;

    /**
     * How much of the free heap is allocated at most to make the collector run: all but an eighth. G1 waits until 60%
     * of a heap of a fixed size is full of new objects, and always keeps a tenth of the heap free.
     */
    private static final int PART_LEFT_FREE = 8;

    /** Volatile, since otherwise the compiler would remove an allocation that no code reads. */
    private static volatile byte[] garbage = {};

    private final Holdings holdings;

    /** How often a collection was requested, for tests. Guarded by this object's lock, like all fields below. */
    private long collections;

    private long pausedSince;

    /** For how long there is no other collection; 0 before the first one in vain. */
    private long pause;

    /**
     * An object that was still uncollected after that much garbage had been allocated. As long as it is, garbage is not
     * tried again: Epsilon never collects any, and would end the process a little sooner each time.
     */
    private @Nullable WeakReference<Object> uncollected;

    Shortage(Holdings holdings) {
        this.holdings = holdings;
    }

    /** What time it is, in nanoseconds; tests have a clock of their own. */
    long now() {
        return System.nanoTime();
    }

    synchronized long collections() {
        return collections;
    }

    /**
     * Runs the garbage collector, and tries again what found the area full.
     *
     * @param attempt returns a position, or a negative number if there is still none. It calls no user's code, as it is
     *     called with this object's lock
     * @param held how many bytes can be given back at most: {@link Holdings#bytes} before {@code missing} was computed
     * @param missing how many bytes have to be given back at least for the attempt to succeed, as far as is known now
     * @return the position, or a negative number
     */
    long retry(LongSupplier attempt, long held, long missing) {
        return held < missing ? STILL_NONE : retryAlone(attempt);
    }

    private synchronized long retryAlone(LongSupplier attempt) {
        // The thread that was here before this one may have run a collection.
        long position = attempt.getAsLong();
        if (position >= 0 || (pause > 0 && now() - pausedSince < pause)) {
            return position;
        }
        long start = now();
        collect();
        // Even if no collection ran here: what an earlier one found may still be on its way.
        holdings.giveBackUnreachable();
        position = attempt.getAsLong();
        if (position < 0) {
            pausedSince = now();
            pause = Math.max(SHORTEST_PAUSE, PAUSE_FACTOR * (pausedSince - start));
        }
        return position;
    }

    /** Makes the garbage collector run, if that is possible. */
    private void collect() {
        collections++;
        var found = new WeakReference<>(new Object());
        System.gc();
        if (!found.refersTo(null)) {
            collectByGarbage(found);
        }
    }

    /**
     * Makes the garbage collector run where {@code -XX:+DisableExplicitGC} forbids asking for it. It allocates garbage
     * until the heap is so full that a collection has to run. That collection would have run anyway, a little later. It
     * need not find what is in the old generation.
     */
    private void collectByGarbage(WeakReference<Object> found) {
        if (uncollected != null && !uncollected.refersTo(null)) {
            return;
        }
        Runtime runtime = Runtime.getRuntime();
        long free = runtime.maxMemory() - runtime.totalMemory() + runtime.freeMemory();
        for (long made = 0; made < free - free / PART_LEFT_FREE && !found.refersTo(null); ) {
            made += makeGarbage();
        }
        uncollected = found;
    }

    private static long makeGarbage() {
        garbage = new byte[GARBAGE_BYTES];
        return garbage.length;
    }
}

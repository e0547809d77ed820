package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.internal.backend.Backends;

/**
 * Tallies that a thread with a place of its own adds to there, with ordinary instructions. Any other thread adds to the
 * current CPU's instance, as {@link Tallies} does.
 */
public final class OwnTallies {
    /*
     * In its own place, a thread marks the place busy, looks at the gate, and adds if it is open. Who closes the tally
     * shuts the gate, and waits for the places that are busy:
     *
     *   owner T                                     closing thread C
     *   1. marks its place busy, light fence
     *   2. the gate is open; loads 4
     *                                               3. shuts the gate, heavy fence
     *                                               4. T's place is busy: waits
     *   5. stores 5
     *   6. is no longer busy (release)
     *                                               7. (acquire) goes on, takes 5, leaves 0
     *
     * Without the mark, C could take 4. Without the fences, T's mark could still be in its processor's store buffer in
     * 4, although T has seen the gate open. With them, either C sees the mark or T sees the gate shut. Then T asks
     * `Tallies`, which refuses it once C has closed the spare slot. If the gate is open again, T's look at it (acquire)
     * comes before its load, so it does not load what C has taken.
     *
     * A thread that gets its first place meanwhile: C counts the places after the heavy fence. If T saw the gate open,
     * it had its place before that fence.
     *
     * No fence of T's stands between its count and its reads of what it has counted itself for. The heavy fence in 3
     * orders them too: either T's store was visible to C in 7, or T looks at the gate after 3.
     *
     * The atomic back end has no gate to look at, so there the places are not used.
     *
     * Refused: no mark, and a sum that C makes again whenever a thread has taken its 1 back. C would not wait for an
     * owner that was preempted in the middle, but nobody could say when the sum is final.
     */
    private static final Tallies TALLIES = Tallies.CURRENT;
    private static final Fences FENCES = Fences.CURRENT;

    private static final boolean IN_OWN_PLACES = OwnPlaces.COUNT > 0 && Backends.usesSequences();

    private static final long OPEN = 0;
    private static final long IDLE = 0;
    private static final long BUSY = 1;

    /** Words in the header of the spare place that nobody uses. */
    private static final long NO_GATE = Area.offset(Area.SPARE, 64);

    private static final long NO_NUMBER = Area.offset(Area.SPARE, 72);

    static {
        if (IN_OWN_PLACES) {
            // Links what is linked when it is first called, so that no class is loaded while a place is busy: a class
            // loader is a user's code, and could lock a lock.
            boolean _ = addInOwnPlace(Area.offset(Area.SPARE, 0), NO_NUMBER, NO_GATE, 0);
        }
    }

    private OwnTallies() {}

    /**
     * Adds, unless the tally is closed.
     *
     * @return false if nothing was done
     */
    public static boolean add(long position, long delta) {
        if (IN_OWN_PLACES) {
            long own = OwnPlaces.mine();
            if (own != OwnPlaces.NONE && addInOwnPlace(own, own + position, Gate.offset(position), delta)) {
                return true;
            }
        }
        return TALLIES.add(position, delta);
    }

    private static boolean addInOwnPlace(long own, long number, long gate, long delta) {
        try {
            Area.LONG.setRelease(Area.MEMORY, own + OwnPlaces.BUSY, BUSY);
            FENCES.light();
            if ((long) Area.LONG.getAcquire(Area.MEMORY, gate) != OPEN) {
                return false;
            }
            OwnPlaces.add(number, delta);
            return true;
        } finally {
            // The same operation as above, which needs no more stack than it did then.
            Area.LONG.setRelease(Area.MEMORY, own + OwnPlaces.BUSY, IDLE);
        }
    }

    /**
     * Closes a tally. Once it has returned, no addition succeeds any more, and the result includes every addition that
     * did succeed. Only one thread at a time may close and open a tally.
     *
     * @return the sum over all places, which are 0 afterwards
     */
    public static long close(long position) {
        if (!IN_OWN_PLACES) {
            return TALLIES.close(position);
        }
        long before = Gate.get(position);
        TALLIES.shut(position);
        boolean idle = false;
        try {
            // Before anything is taken: if the wait fails, all is as before. A thread that finds the gate shut
            // meanwhile adds to the spare slot, which is taken afterwards.
            OwnPlaces.awaitIdle();
            idle = true;
        } finally {
            if (!idle) {
                Gate.set(position, before);
            }
        }
        long sum = TALLIES.take(position);
        int places = Area.places();
        for (int place = Area.SPARE + 1; place < places; place++) {
            sum += Gate.exchange(place, position, 0);
        }
        return sum;
    }

    /** Opens a closed tally. */
    public static void open(long position) {
        TALLIES.open(position);
    }
}

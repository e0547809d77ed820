package dev.percpu.internal.protocol;

import static java.lang.Double.doubleToRawLongBits;
import static java.lang.Double.longBitsToDouble;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.OwnPlaces;

/**
 * {@code double} numbers of which only the sum over all places counts, and which can be taken away from all places.
 * Each begins as 0 and has a {@link Gate}. A thread that has a place of its own adds there, with ordinary instructions;
 * any other adds to the current CPU's instance, as {@link GatedNumbers} does.
 */
public final class GatedSums {
    /*
     * In its own place, a thread marks the place busy, looks at the gate, and adds if it is open. Who takes shuts the
     * gate, and waits for the places that are busy:
     *
     *   owner T                                     taking thread R
     *   1. marks its place busy
     *   2. light fence
     *   3. the gate is open; loads 4
     *                                               4. shuts the gate
     *                                               5. heavy fence
     *                                               6. T's place is busy: waits
     *   7. stores 5
     *   8. is no longer busy (release)
     *                                               9. (acquire) goes on, takes 5, leaves 0
     *
     * Without the mark, R could take 4 between 3 and 7, and T's 5 would have the 4 once more. Without the fences, T's
     * mark could still be in its processor's store buffer in 6, although T has seen the gate open. With them, either R
     * sees the mark or T sees the gate shut. If T sees it shut, it adds to the spare slot.
     *
     *   owner T                                     taking thread R
     *                                               1. shuts the gate, heavy fence, T's place is not busy
     *   2. marks its place busy
     *   3. the gate is shut: removes the mark
     *   4. adds to the spare slot
     *                                               5. takes 4 from T's place, leaves 0
     *                                               6. opens the gate
     *   7. marks its place busy
     *   8. the gate is open (acquire): loads 0
     *
     * The acquire in 8 makes sure that T does not load the 4 that R has taken.
     *
     * A thread gets its first place while R takes: R counts the places after the heavy fence. If T saw the gate open,
     * then it had its place before that fence, and R sees it.
     *
     * Where the light fence would be an instruction of the processor, this is slower than one atomic addition, so there
     * the places are not used.
     */
    private static final Fences FENCES = Fences.CURRENT;
    private static final GatedNumbers NUMBERS = GatedNumbers.CURRENT;

    private static final boolean IN_OWN_PLACES = OwnPlaces.COUNT > 0 && FENCES.isAsymmetric();

    private static final long OPEN = 0;
    private static final long IDLE = 0;
    private static final long BUSY = 1;

    /** Words in the header of the spare place that nobody uses. */
    private static final long NO_GATE = Area.offset(Area.SPARE, 64);

    private static final long NO_NUMBER = Area.offset(Area.SPARE, 72);

    static {
        if (IN_OWN_PLACES) {
            // Links what is linked when it is first called, so that no class is loaded while a place is busy: a class
            // loader is a user's code, and could add to a counter.
            boolean _ = addInOwnPlace(Area.offset(Area.SPARE, 0), NO_NUMBER, NO_GATE, 0);
        }
    }

    private GatedSums() {}

    /**
     * Adds. It orders nothing else.
     *
     * @return false if nothing was done: then the caller adds to the spare slot, atomically
     */
    public static boolean add(long position, double x) {
        if (IN_OWN_PLACES) {
            long own = OwnPlaces.mine();
            if (own != OwnPlaces.NONE) {
                return addInOwnPlace(own, own + position, Gate.offset(position), x);
            }
        }
        return NUMBERS.addDouble(position, doubleToRawLongBits(x));
    }

    private static boolean addInOwnPlace(long own, long number, long gate, double x) {
        try {
            Area.LONG.setRelease(Area.MEMORY, own + OwnPlaces.BUSY, BUSY);
            FENCES.light();
            if ((long) Area.LONG.getAcquire(Area.MEMORY, gate) != OPEN) {
                return false;
            }
            double sum = longBitsToDouble((long) Area.LONG.getOpaque(Area.MEMORY, number)) + x;
            Area.LONG.setOpaque(Area.MEMORY, number, doubleToRawLongBits(sum));
            return true;
        } finally {
            // The same operation as above, which needs no more stack than it did then.
            Area.LONG.setRelease(Area.MEMORY, own + OwnPlaces.BUSY, IDLE);
        }
    }

    /** The sum over all places; not an atomic snapshot. */
    public static double sum(long position) {
        return Sums.sumOfDoubles(position, 0);
    }

    /** The part of the sum that lies in no CPU's place. */
    public static double elsewhere(long position) {
        return Sums.sumOfDoubles(position, Area.SPARE);
    }

    /**
     * Takes what is in all places, and leaves zeros. Each update is in the result, or stays for the next one. Only one
     * thread at a time may call it for a number.
     */
    public static double takeAll(long position) {
        if (IN_OWN_PLACES) {
            Gate.shut(position, FENCES);
        } else {
            NUMBERS.shut(position);
        }
        try {
            if (IN_OWN_PLACES) {
                OwnPlaces.awaitIdle();
            }
            double sum = 0;
            // They are counted after the fence.
            int places = Area.places();
            for (int place = 0; place < places; place++) {
                sum += longBitsToDouble(NUMBERS.exchange(place, position, 0));
            }
            return sum;
        } finally {
            Gate.open(position);
        }
    }
}

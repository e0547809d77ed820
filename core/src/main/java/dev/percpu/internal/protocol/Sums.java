package dev.percpu.internal.protocol;

import static java.lang.Double.longBitsToDouble;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.OwnPlaces;

/**
 * Numbers of which only the sum over all places counts. A thread that has a place of its own adds there,
 * with ordinary instructions; any other adds to the current CPU's instance, as {@link Numbers} does.
 *
 * <p>Each instance is written by its owner only: a CPU's by that CPU's threads, an own place's by its thread. Everyone
 * may add to the spare slot, atomically.
 */
public final class Sums {
    private static final Numbers NUMBERS = Numbers.CURRENT;

    static {
        Elsewhere.initialize();
    }

    private Sums() {}

    /**
     * Has this class and those that it needs initialized. A class whose initializer fails stays unusable. So whoever
     * makes something that will use this one calls this before: an operation's first use of it may come when the heap
     * is full, or near the end of the stack.
     */
    public static void initialize() {
        // Calling this is enough.
    }

    /** The same, for {@link #addTwo} and {@link #addLongAndDouble} too, which link a shape of their own. */
    public static void initializePairs() {
        NumberPairs _ = NumberPairs.CURRENT;
    }

    /** Adds. It orders nothing else. Adding 0 does nothing. */
    public static void add(long position, long delta) {
        if (delta == 0) {
            return;
        }
        long own = OwnPlaces.mine();
        if (own != OwnPlaces.NONE) {
            OwnPlaces.add(Area.within(own + position), delta);
        } else if (OwnPlaces.isNeverMine()) {
            NUMBERS.add(position, delta);
        } else {
            Elsewhere.add(position, delta);
        }
    }

    /** Adds to two numbers, one after the other. */
    public static void addTwo(long position, long delta, long secondPosition, long secondDelta) {
        long own = OwnPlaces.mine();
        if (own != OwnPlaces.NONE) {
            OwnPlaces.add(Area.within(own + position), delta);
            OwnPlaces.add(Area.within(own + secondPosition), secondDelta);
        } else if (OwnPlaces.isNeverMine()) {
            NumberPairs.CURRENT.add(position, delta, secondPosition, secondDelta);
        } else {
            Elsewhere.addTwo(position, delta, secondPosition, secondDelta);
        }
    }

    /** Adds to a {@code long} number and to a {@code double} number, one after the other. */
    public static void addLongAndDouble(long position, long delta, long doublePosition, double x) {
        long own = OwnPlaces.mine();
        if (own != OwnPlaces.NONE) {
            OwnPlaces.addLongAndDouble(Area.within(own + position), delta, Area.within(own + doublePosition), x);
        } else if (OwnPlaces.isNeverMine()) {
            NumberPairs.CURRENT.addLongAndDouble(position, delta, doublePosition, x);
        } else {
            Elsewhere.addLongAndDouble(position, delta, doublePosition, x);
        }
    }

    /** The sum of a {@code double} number over all places from the given one on; not an atomic snapshot. */
    public static double sumOfDoubles(long position, int firstPlace) {
        double sum = 0;
        int places = Area.places();
        for (int place = firstPlace; place < places; place++) {
            sum += longBitsToDouble((long) Area.LONG.getOpaque(Area.MEMORY, Area.offset(place, position)));
        }
        return sum;
    }

    /**
     * The sum over all places. It includes what a thread added to the spare slot, and all that this thread had seen
     * by then: the spare slot is read first, with acquire.
     */
    public static long sum(long position) {
        long sum = elsewhere(position);
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            sum += (long) Area.LONG.getOpaque(Area.MEMORY, Area.offset(cpu, position));
        }
        return sum;
    }

    /** The part of the sum that lies in no CPU's place. It has to be read before the others, as in {@link #sum}. */
    public static long elsewhere(long position) {
        long sum = (long) Area.LONG.getAcquire(Area.MEMORY, Area.offset(Area.SPARE, position));
        int places = Area.places();
        for (int place = Area.SPARE + 1; place < places; place++) {
            sum += (long) Area.LONG.getOpaque(Area.MEMORY, Area.offset(place, position));
        }
        return sum;
    }

    /** Adds to the spare slot, atomically, with release. */
    public static void addToSpare(long position, long delta) {
        long _ = (long) Area.LONG.getAndAdd(Area.MEMORY, Area.offset(Area.SPARE, position), delta);
    }

    /** What a thread does that has no place. */
    @SuppressWarnings("serial") // there are no objects of it
    private static final class Elsewhere extends NotInlined {
        static void initialize() {
            // Calling this is enough.
        }

        static void add(long position, long delta) {
            OwnPlaces.missed();
            NUMBERS.add(position, delta);
        }

        static void addTwo(long position, long delta, long secondPosition, long secondDelta) {
            OwnPlaces.missed();
            NumberPairs.CURRENT.add(position, delta, secondPosition, secondDelta);
        }

        static void addLongAndDouble(long position, long delta, long doublePosition, double x) {
            OwnPlaces.missed();
            NumberPairs.CURRENT.addLongAndDouble(position, delta, doublePosition, x);
        }
    }
}

package dev.percpu.internal.protocol;

import static java.lang.Double.longBitsToDouble;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.OwnPlaces;
import java.lang.ref.Reference;

/**
 * Numbers of which only the sum over all places counts. A thread that has a place of its own adds there,
 * with ordinary instructions; any other adds to the current CPU's instance, as {@link Numbers} does.
 *
 * <p>Each instance is written by its owner only: a CPU's by that CPU's threads, an own place's by its thread. Everyone
 * may add to the spare slot, atomically.
 *
 * <p>A number's memory may go to another variable once its own is unreachable. So each addition is passed the variable,
 * and keeps it reachable until its store is done.
 */
@SuppressWarnings("ReachabilityFenceUsage") // an addition that throws makes no store after that
public final class Sums {
    /*
     * The variable is passed down, although each caller could keep it reachable after the call. But then a thread
     * without an own place needs the variable after its call of WithoutOwnPlace. A call leaves one register as it was.
     * If that keeps the variable, the JIT compiler keeps the index of a caller's loop in memory, in the iterations
     * without a call too: eight counters in turn took 2.1 ns for each, or 3.2 in another JVM, instead of 1.8 or 2.7
     * (Zen 4).
     */
    private static final Numbers NUMBERS = Numbers.CURRENT;

    static {
        WithoutOwnPlace.initialize();
        Reachability.initialize();
    }

    private Sums() {}

    /**
     * Initializes this class and those that it needs. A class whose initializer fails stays unusable. So whoever
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

    /** Adds to a number of a variable. It orders nothing else. Adding 0 does nothing. */
    public static void add(Object variable, long position, long delta) {
        if (delta == 0) {
            return;
        }
        if (OwnPlaces.hasMine()) {
            Reachability.untilStored(variable, OwnPlaces.add(Area.within(OwnPlaces.mine() + position), delta));
        } else if (OwnPlaces.isNeverMine()) {
            NUMBERS.add(position, delta);
            Reference.reachabilityFence(variable);
        } else {
            WithoutOwnPlace.add(variable, position, delta);
        }
    }

    /** Adds to two numbers of a variable, one after the other. */
    public static void addTwo(Object variable, long position, long delta, long secondPosition, long secondDelta) {
        if (OwnPlaces.hasMine()) {
            long own = OwnPlaces.mine();
            long stored = OwnPlaces.add(Area.within(own + position), delta);
            long _ = OwnPlaces.add(Area.within(own + secondPosition), secondDelta);
            Reachability.untilStored(variable, stored);
        } else if (OwnPlaces.isNeverMine()) {
            NumberPairs.CURRENT.add(position, delta, secondPosition, secondDelta);
            Reference.reachabilityFence(variable);
        } else {
            WithoutOwnPlace.addTwo(variable, position, delta, secondPosition, secondDelta);
        }
    }

    /** Adds to a {@code long} number and to a {@code double} number of a variable, one after the other. */
    public static void addLongAndDouble(Object variable, long position, long delta, long doublePosition, double x) {
        if (OwnPlaces.hasMine()) {
            long own = OwnPlaces.mine();
            long stored = OwnPlaces.addLongAndDouble(
                    Area.within(own + position), delta, Area.within(own + doublePosition), x);
            Reachability.untilStored(variable, stored);
        } else if (OwnPlaces.isNeverMine()) {
            NumberPairs.CURRENT.addLongAndDouble(position, delta, doublePosition, x);
            Reference.reachabilityFence(variable);
        } else {
            WithoutOwnPlace.addLongAndDouble(variable, position, delta, doublePosition, x);
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
        for (int place = Area.FIRST_OWN; place < places; place++) {
            sum += (long) Area.LONG.getOpaque(Area.MEMORY, Area.offset(place, position));
        }
        return sum;
    }

    /**
     * Subtracts what was read from a number of a variable, in the spare slot, atomically and with release. Subtracting
     * 0 does nothing, since it would make a page resident.
     */
    public static void subtract(Object variable, long position, long sum) {
        if (sum != 0) {
            long _ = (long) Area.LONG.getAndAdd(Area.MEMORY, Area.offset(Area.SPARE, position), -sum);
            Reference.reachabilityFence(variable);
        }
    }

    /** What a thread without an own place does. */
    @SuppressWarnings("serial") // there are no objects of it
    private static final class WithoutOwnPlace extends NotInlined {
        static void initialize() {
            // Calling this is enough.
        }

        static void add(Object variable, long position, long delta) {
            OwnPlaces.missed();
            NUMBERS.add(position, delta);
            Reference.reachabilityFence(variable);
        }

        static void addTwo(Object variable, long position, long delta, long secondPosition, long secondDelta) {
            OwnPlaces.missed();
            NumberPairs.CURRENT.add(position, delta, secondPosition, secondDelta);
            Reference.reachabilityFence(variable);
        }

        static void addLongAndDouble(Object variable, long position, long delta, long doublePosition, double x) {
            OwnPlaces.missed();
            NumberPairs.CURRENT.addLongAndDouble(position, delta, doublePosition, x);
            Reference.reachabilityFence(variable);
        }
    }
}

package dev.percpu.internal.protocol;

import static java.lang.Double.doubleToRawLongBits;
import static java.lang.Double.longBitsToDouble;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.area.OwnPlaces;
import java.lang.ref.Reference;

/**
 * {@code double} numbers of which only the sum over all places counts, and which can be taken away from all places.
 * Each begins as 0 and has a {@link Gate}. A thread that has a place of its own adds there, with ordinary instructions;
 * any other adds to the current CPU's instance, as {@link GatedNumbers} does.
 *
 * <p>One thread at a time takes a number away: with the number's lock, which an addition takes only if it meets a
 * taking, and once after it.
 */
@SuppressWarnings("ReachabilityFenceUsage") // an addition that throws makes no store after that
public final class GatedSums {
    /*
     * In its own place, a thread adds to its number, and then looks at the gate, much as in Tally. But whoever takes a
     * double cannot leave it there and subtract it later: after a sum of 1e16, the number swallows every addition of 1.
     * The number has to begin with 0 again, and only its owner can see to that, since nobody else may write it. So
     * whoever takes it notes what was taken, and while something is noted, the number counts as 0:
     *
     *   owner T                                     taking thread R
     *   1. the gate is open, nothing is noted: loads 4
     *                                               2. shuts the gate, heavy fence
     *                                               3. takes 4, notes 4
     *   4. stores 5, light fence
     *                                               5. opens the gate, gives up the lock
     *   6. the gate is open, but 4 is noted: lock
     *   7. 4 is what it was before: number = 1, nothing is noted
     *
     * With 4 before 3, R takes and notes 5. Then T's addition is in R's result, and in 7 the number becomes 0. (If 5
     * were the same number as 4, because 1 is too small to change it, either is right: R's result is the same.) If T
     * comes to 6 before 5, it sees the gate shut, and waits for the lock.
     *
     * If T sees in 6 that the gate is open and nothing noted, its store is in the next result. Either R shut the gate
     * later, and then R's heavy fence comes after T's look, and so after its store. Or R found nothing in T's place, in
     * which case T has loaded 0.
     *
     * T's first addition after a taking finds something noted in 1. Then it has the lock while it sets the number to 0,
     * and after that removes the note (release), so that a sum that no longer sees the note (acquire) sees the 0.
     *
     * A new owner, and a thread that gets its first place while R takes: as in Tally.
     *
     * Where the light fence would be an instruction of the processor, this is slower than one atomic addition, so there
     * the places are not used.
     */
    private static final Fences FENCES = Fences.CURRENT;
    private static final GatedNumbers NUMBERS = GatedNumbers.CURRENT;
    private static final StackRoom ROOM = StackRoom.CURRENT;

    /** Whether a thread adds in its own place, if it has one. */
    public static final boolean IN_OWN_PLACES = OwnPlaces.COUNT > 0 && FENCES.isAsymmetric();

    /** Where an own place has the bits of what was taken from its number. */
    static final long NOTED = 8;

    /** How many bytes a sum takes: in an own place these two numbers, elsewhere one. */
    public static final int BYTES = 2 * Long.BYTES;

    /** Also the bits of 0.0, since nothing has to be noted where there is nothing to take. */
    private static final long NOTHING = 0;

    static {
        Gate.initialize();
        WithoutOwnPlace.initialize();
        if (IN_OWN_PLACES) {
            // Links what is linked when it is first called, so that no class is loaded in the middle: a class loader is
            // a user's code, and could add to a counter.
            long number = Area.offset(Area.SPARE, CpuHeader.REHEARSED_SUM);
            long gate = number + BYTES;
            addIn(number, gate, 1, NUMBERS, FENCES);
            double _ = takeFrom(number);
            addIn(number, gate, 1, NUMBERS, FENCES);
            settle(number, NOTHING, 1, NUMBERS);
        }
    }

    private GatedSums() {}

    /** Forces this class to initialize: see {@link Sums#initialize}. */
    public static void initialize() {
        // Calling this is enough.
    }

    /**
     * Adds to a number of a variable, which stays reachable until then: see {@link Sums}. It orders nothing else.
     *
     * @param lock the number's
     */
    public static void add(Object variable, long position, double x, Object lock) {
        if (IN_OWN_PLACES && !OwnPlaces.isNeverMine()) {
            if (OwnPlaces.hasMine()) {
                long own = OwnPlaces.mine();
                long gate = Gate.offset(position);
                if (look(gate) == Gate.OPEN) {
                    addIn(Area.within(own + position), gate, x, lock, FENCES);
                } else {
                    addToSpare(position, x);
                }
                Reference.reachabilityFence(variable);
                return;
            }
            WithoutOwnPlace.add(variable, position, x);
            return;
        }
        addOnCpu(position, x);
        Reference.reachabilityFence(variable);
    }

    private static void addOnCpu(long position, double x) {
        if (!NUMBERS.addDouble(position, doubleToRawLongBits(x))) {
            addToSpare(position, x);
        }
    }

    /** Where a thread adds that finds the gate shut. */
    private static void addToSpare(long position, double x) {
        long spare = Area.offset(Area.SPARE, position);
        long before;
        do {
            before = read(spare);
        } while (!Area.LONG.compareAndSet(
                Area.MEMORY, spare, before, doubleToRawLongBits(longBitsToDouble(before) + x)));
    }

    /** Adds in a place whose gate was open; tests have other fences, which let the number be taken in the middle. */
    static void addIn(long number, long gate, double x, Object lock, Fences fences) {
        long noted = Area.within(number + NOTED);
        if (look(noted) != NOTHING) {
            beginAnew(number, 0, lock);
        }
        long after = doubleToRawLongBits(longBitsToDouble(read(number)) + x);
        write(number, after);
        fences.light();
        if (look(gate) != Gate.OPEN || look(noted) != NOTHING) {
            settle(number, after, x, lock);
        }
    }

    /**
     * Sees to it that an addition counts once, although its number may have been taken just before or after its store.
     *
     * @param after what it stored
     */
    private static void settle(long number, long after, double x, Object lock) {
        synchronized (lock) {
            long taken = look(number + NOTED);
            if (taken == after) {
                beginAnew(number, 0, lock);
            } else if (taken != NOTHING) {
                beginAnew(number, x, lock);
            }
        }
    }

    private static void beginAnew(long number, double x, Object lock) {
        synchronized (lock) {
            write(number, doubleToRawLongBits(x));
            Area.LONG.setRelease(Area.MEMORY, number + NOTED, NOTHING);
        }
    }

    /** The sum over all places; not an atomic snapshot. */
    public static double sum(long position) {
        double sum = 0;
        for (int cpu = 0; cpu < Area.SPARE; cpu++) {
            sum += longBitsToDouble(read(Area.offset(cpu, position)));
        }
        return sum + elsewhere(position);
    }

    /** The part of the sum that lies in no CPU's place. */
    public static double elsewhere(long position) {
        double sum = longBitsToDouble(read(Area.offset(Area.SPARE, position)));
        int places = Area.places();
        for (int place = Area.FIRST_OWN; place < places; place++) {
            long number = Area.offset(place, position);
            if (look(number + NOTED) == NOTHING) {
                sum += longBitsToDouble(read(number));
            }
        }
        return sum;
    }

    /**
     * Takes what is in all places, and leaves zeros. Each update is in the result, or stays for the next one.
     *
     * @param lock the number's
     */
    public static double takeAll(long position, Object lock) {
        // An error between two places would lose what was taken from the first.
        ROOM.ensure();
        synchronized (lock) {
            if (IN_OWN_PLACES) {
                Gate.shut(position, FENCES);
            } else {
                NUMBERS.shut(position);
            }
            try {
                double sum = 0;
                for (int place = 0; place <= Area.SPARE; place++) {
                    sum += longBitsToDouble(Gate.exchange(place, position, 0));
                }
                // They are counted after the fence.
                int places = Area.places();
                for (int place = Area.FIRST_OWN; place < places; place++) {
                    sum += takeFrom(Area.offset(place, position));
                }
                return sum;
            } finally {
                Gate.open(position);
            }
        }
    }

    /** Takes the number of an own place. */
    private static double takeFrom(long number) {
        long noted = number + NOTED;
        if (look(noted) != NOTHING) {
            return 0;
        }
        long taken = look(number);
        write(noted, taken);
        return longBitsToDouble(taken);
    }

    private static long look(long offset) {
        return (long) Area.LONG.getAcquire(Area.MEMORY, offset);
    }

    private static long read(long offset) {
        return (long) Area.LONG.getOpaque(Area.MEMORY, offset);
    }

    private static void write(long offset, long value) {
        Area.LONG.setOpaque(Area.MEMORY, offset, value);
    }

    /** What a thread without an own place does. */
    @SuppressWarnings("serial") // there are no objects of it
    private static final class WithoutOwnPlace extends NotInlined {
        static void initialize() {
            // Calling this is enough.
        }

        static void add(Object variable, long position, double x) {
            OwnPlaces.missed();
            addOnCpu(position, x);
            Reference.reachabilityFence(variable);
        }
    }
}

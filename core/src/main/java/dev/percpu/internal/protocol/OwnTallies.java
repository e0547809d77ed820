package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.internal.backend.Backends;
import java.lang.invoke.VarHandle;

/**
 * Tallies that a thread with a place of its own adds to there, with ordinary instructions. Any other thread adds to the
 * current CPU's instance, as {@link Tallies} does.
 *
 * <p>One thread at a time closes and opens a tally: with its lock, which an addition takes only if the tally is closed
 * at the same moment.
 */
public final class OwnTallies {
    /*
     * In its own place, a thread has two numbers: all that it added, and all that it subtracted. (With one number, each
     * update would wait until the processor has done the one before.) It changes one of them, and then looks at the
     * gate. Who closes the tally shuts the gate, reads the numbers, and notes their difference:
     *
     *   owner T                                     closing thread C
     *   1. the gate is open; loads 4
     *                                               2. shuts the gate, heavy fence
     *                                               3. reads 4, notes 4
     *   4. stores 5, light fence
     *   5. the gate is shut: waits for C's lock
     *                                               6. gives up the lock
     *   7. C has noted 4: stores 4, not added
     *
     * With 4 before 3, C reads and notes 5. Then T finds that its addition is in C's sum, and is done. So C does not
     * wait for T, which may have lost its CPU in the middle. T waits until C is done, in the rare case that it saw the
     * gate open in 1 and shut in 5. While the gate is shut, 1 is as far as a thread gets.
     *
     * Only T writes the two numbers. C leaves them as they are: with the next closing, what C has noted is subtracted.
     * If C set them to 0, T's store in 4 could bring back what C had taken.
     *
     * If T sees the gate open in 5, its store is in the next sum. Either C shut the gate later. Then C's heavy fence
     * comes after T's look, and so after its store. Or the tally was closed and opened again between 1 and 5. Then C
     * noted what it read, 4 or 5, and the next closing finds the rest. If another closing begins while T is on its way
     * to 7, it needs the lock: T finds that 4 is noted, or 5, or that the tally is open.
     *
     * T's place may get a new owner U, between an addition and a subtraction, too. Nothing of the above is about the
     * thread, only about the place, and T's last store happens before U's first load (see OwnPlaces).
     *
     * A thread gets its first place while C closes: C counts the places after the heavy fence. If T saw the gate open
     * in 5, it had its place before that fence. If it sees the gate shut, and C has not seen its place, then nothing is
     * noted there, and T takes its addition back.
     *
     * No fence of T's stands between its count and its reads of what it has counted itself for. The heavy fence in 2
     * orders them too: either T's store was visible to C in 3, or T looks at the gate after 2.
     *
     * At the end of the stack there is a gap. 6 and 7 take some frames more than the store before them: in compiled
     * code too, as they are so rare that the JIT compiler leaves them to the interpreter. If the stack ends in just
     * those frames, and a closing thread came between 1 and 5, then T's caller gets the error, and the place keeps the
     * addition. A read lock then has a reader too many, or too few. T cannot undo it in its handler, which has no more
     * stack than that, and without the lock it would not know whether C has noted 4 or 5. (The lock is a monitor, as
     * to enter it takes no stack.) A look for room before each store would close the gap, and cost as much as the rest.
     *
     * The atomic back end has no gate to look at, so there the places are not used.
     *
     * Refused: a mark that a thread sets before and removes after it, on which C waits. That is two more stores for
     * each addition, C waits for threads that have no CPU, and an error that keeps the mark set stops C for ever.
     */
    private static final Tallies TALLIES = Tallies.CURRENT;

    private static final boolean IN_OWN_PLACES = OwnPlaces.COUNT > 0 && Backends.usesSequences();

    /** How many bytes a tally takes: in an own place these three numbers, elsewhere what {@link Tallies} says. */
    public static final int BYTES = 3 * Long.BYTES;

    /** Where an own place has what was subtracted; what was added is at the tally's position. */
    static final long SUBTRACTED = 8;

    /** Where an own place has the difference of the two as it was when the tally was last closed. */
    static final long NOTED = 16;

    private static final long OPEN = 0;

    /** The header of the spare place, where nobody uses these words. */
    private static final long UNUSED = 64;

    static {
        Gate.initialize();
        if (IN_OWN_PLACES) {
            // Links what is linked when it is first called, so that no class is loaded in the middle: a class loader is
            // a user's code, and could lock a lock. It adds 1 twice and subtracts it.
            long added = Area.offset(Area.SPARE, UNUSED);
            long gate = added + BYTES;
            boolean _ = addIn(added, gate, 1, TALLIES);
            boolean _ = isCounted(added, gate, added, 0, TALLIES);
            long _ = takeFrom(added);
            boolean _ = addIn(added, gate, -1, TALLIES);
            long _ = takeFrom(added);
        }
    }

    private OwnTallies() {}

    /** Has this class initialized: see {@link Sums#initialize}. */
    public static void initialize() {
        // Calling this is enough.
    }

    /**
     * Adds in the current thread's own place, unless the tally is closed.
     *
     * @param lock the tally's
     * @return false if nothing was done: the tally is closed, or the thread has no place of its own
     */
    public static boolean addInOwnPlace(long position, long delta, Object lock) {
        if (!IN_OWN_PLACES) {
            return false;
        }
        long own = OwnPlaces.mine();
        return own != OwnPlaces.NONE && addIn(Area.within(own + position), Gate.offset(position), delta, lock);
    }

    /**
     * Adds to the current CPU's instance, unless the tally is closed.
     *
     * @return false if nothing was done
     */
    public static boolean addOnCpu(long position, long delta) {
        if (IN_OWN_PLACES) {
            OwnPlaces.missed();
        }
        return TALLIES.add(position, delta);
    }

    /**
     * Adds in a place. It is all in one method but for what JIT compilers always inline: a lock's tally is closed while
     * they watch, so what follows the first look seems to be rare.
     */
    private static boolean addIn(long added, long gate, long delta, Object lock) {
        if ((long) Area.LONG.getAcquire(Area.MEMORY, gate) != OPEN) {
            return false;
        }
        long number = delta > 0 ? added : Area.within(added + SUBTRACTED);
        long before = (long) Area.LONG.getOpaque(Area.MEMORY, number);
        Area.LONG.setOpaque(Area.MEMORY, number, delta > 0 ? before + delta : before - delta);
        // The light fence: where there are sequences, this is it.
        VarHandle.acquireFence();
        return (long) Area.LONG.getAcquire(Area.MEMORY, gate) == OPEN || isCounted(added, gate, number, before, lock);
    }

    /**
     * Whether an addition counts that found the gate shut after its store. If not, it is undone.
     *
     * @param number which of the two numbers it changed
     * @param before what that number was before
     */
    static boolean isCounted(long added, long gate, long number, long before, Object lock) {
        synchronized (lock) {
            if (look(gate) == OPEN || read(added + NOTED) == difference(added)) {
                return true;
            }
            write(number, before);
            return false;
        }
    }

    private static long difference(long added) {
        return look(added) - look(added + SUBTRACTED);
    }

    /** What came to an own place since this was last called. */
    private static long takeFrom(long added) {
        long noted = read(added + NOTED);
        long difference = difference(added);
        if (difference != noted) {
            write(added + NOTED, difference);
        }
        return difference - noted;
    }

    /**
     * Closes a tally. Once it has returned, no addition succeeds any more, except those that are in the result, which
     * includes every addition that did succeed.
     *
     * @param lock the tally's
     * @return the sum over all places since it was opened
     */
    public static long close(long position, Object lock) {
        synchronized (lock) {
            TALLIES.shut(position);
            long sum = TALLIES.take(position);
            if (IN_OWN_PLACES) {
                int places = Area.places();
                for (int place = Area.SPARE + 1; place < places; place++) {
                    sum += takeFrom(Area.offset(place, position));
                }
            }
            return sum;
        }
    }

    /** Opens a closed tally. */
    public static void open(long position, Object lock) {
        synchronized (lock) {
            TALLIES.open(position);
        }
    }

    /** Has nobody add to a new tally in an own place until it is opened; for who makes the tally. */
    public static void beginShut(long position) {
        if (IN_OWN_PLACES) {
            Gate.set(position, Gate.SHUT);
        }
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
}

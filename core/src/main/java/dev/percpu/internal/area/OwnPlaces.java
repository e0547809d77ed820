package dev.percpu.internal.area;

import static java.lang.Double.doubleToRawLongBits;
import static java.lang.Double.longBitsToDouble;

import dev.percpu.internal.linux.Platform;
import dev.percpu.internal.linux.Topology;
import java.lang.foreign.ValueLayout;
import java.lang.ref.WeakReference;
import org.jspecify.annotations.Nullable;

/**
 * Places of the area that a single thread has for itself. Only a platform thread that updates all the time gets one. In
 * its own place it updates variables with ordinary Java instructions, since no other thread updates them there: no
 * native call and, apart from accumulators, no atomic instruction.
 *
 * <p>This is for variables that count as what their numbers in all places come to: a sum, a maximum. When the owner has
 * ended, another thread gets the place, with all that is in it. So no sum goes backwards when a thread ends.
 *
 * <p>{@link #hasMine} and {@link #mine} look in a table with a row for each value of the lowest bits of {@link
 * Thread#threadId()}. Two hot threads whose lowest bits are equal cannot both have a place; the second one goes on with
 * native calls.
 */
public final class OwnPlaces {
    /*
     * A row has the owner's id and the offset of the owner's place. A thread finds its own id only where it has put it
     * itself, since the JVM never gives an id to a second thread. So it does no harm that the table is read without
     * ordering, and that a row is cleared while others read it.
     *
     * What matters is that no thread gets a place while its owner can still write there:
     *
     *   owner T                            thread U
     *   1. loads 4 from its place
     *                                      2. gets the place
     *                                      3. loads 4, stores 5
     *   4. stores 5: U's update is lost
     *
     * So a place is taken back only after Thread.isAlive() has returned false, or after the Thread object has been
     * collected. All actions of a thread happen before isAlive() returns false (JLS, 17.4.5), and after it the thread
     * runs no Java code. A thread that runs is always reachable, so if it has been collected, it has ended, and the
     * garbage collector has synchronized with it since. Under the lock, U takes the place back itself, or gets it after
     * another thread took it back. So T's last store happens before U's first load.
     *
     * Refused: to let an owner that no longer updates give its place back. It would have to look for that request with
     * each update. Refused: to take it away. That takes a membarrier, and a mark while the owner makes an update.
     *
     * An addition is a plain load and a plain store. The variables promise opaque updates, and these are as good. On a
     * 64-bit JVM no long is torn. And the compiler cannot delay a store until a loop has ended: after each addition the
     * thread may leave compiled code, and all stores must be made by then (see Reachability, which also tells what
     * would be wrong without it). Instead of loading the number, the compiler may use what the previous addition has
     * stored. That is right, since nobody else changes the number. Where another thread does, as in raise, the accesses
     * are opaque.
     *
     * Refused: opaque accesses for additions. The compiler takes an opaque access of memory outside the heap for one
     * that may change every object. Then it reads again where the next number lies, and looks for the place again.
     *
     * Refused: ThreadLocal instead of the table. It takes about 2 ns, and a value in it is kept until the thread ends.
     *
     * Nobody waits for the lock: whoever finds it taken goes on without a place, and tries again soon. The lock is
     * acquired before the allocator's lock, for which its owner waits if a place has to be opened. Nothing else is
     * acquired under it, and no user code runs under it. If loading a class under it called a user's class loader that
     * updates a counter, that update would find it taken, and do without a place. (Under the allocator's lock no class
     * is loaded.)
     */

    /** Sets how many threads can have a place at a time; 0 for none. */
    public static final String PROPERTY = "percpu.places";

    private static final int MOST = 1024;
    private static final int DEFAULT_PER_CPU = 4;
    private static final int DEFAULT_LEAST = 16;
    private static final int DEFAULT_MOST = 256;

    /** Without system calls memory is taken for each place at once, so by default there are fewer. */
    private static final int ALLOCATED_LEAST = 4;

    private static final int ALLOCATED_MOST = 64;

    /** How many threads can have a place at a time. A 32-bit JVM has no places, since it could tear a long there. */
    public static final int COUNT =
            ValueLayout.ADDRESS.byteSize() == Long.BYTES ? wanted(System.getProperty(PROPERTY)) : 0;

    /** So many rows for each place make it unlikely that two owners want the same row. */
    private static final int ROWS_PER_PLACE = 16;

    private static final int MASK = powerOfTwo(COUNT * ROWS_PER_PLACE) - 1;

    /**
     * For each row the id of its owner, or 0, and the offset of the owner's place. Written under {@link #LOCK}.
     */
    private static final long[] TABLE = new long[(MASK + 1) * 2];

    /**
     * The clock is read after so many misses, and a thread is hot if they took {@link #HOT_NANOS} at most. The JVM
     * begins to profile a method after 200 calls. So a first thread has its place before the JIT compiler learns how
     * often threads miss. With 1,000 misses the compiler took a miss for frequent, and kept a caller's values in memory
     * for it: eight counters in turn took 1.8 or 2.7 ns for each, depending on the JVM, and 1.4 with 200 (Zen 4).
     */
    private static final int HOT = 200;

    private static final long HOT_NANOS = 4_000_000;

    /** How often a thread misses before it tries again, if there was no place for it. */
    private static final long BACKOFF = 1_000_000;

    private static final int COUNTERS_MASK = powerOfTwo(COUNT * 4) - 1;

    /** Two cache lines for each counter, as a log of two, in longs. */
    private static final int COUNTER_SHIFT = 4;

    /**
     * How often threads missed, and when that was last 0. Threads with the same lowest bits of their ids share a
     * counter, and lose updates of it. That matters little: it is a heuristic.
     */
    private static final long[] MISSES = new long[(COUNTERS_MASK + 1) << COUNTER_SHIFT];

    private static final TryLock LOCK = new TryLock();

    /** For each place its owner, which may have ended; null if it has none. Guarded by {@link #LOCK}. */
    private static final @Nullable Owner[] OWNERS = new Owner[COUNT];

    private OwnPlaces() {}

    /** A thread that has a place. It is held weakly. */
    private static final class Owner extends WeakReference<Thread> {
        private final int row;

        private Owner(Thread thread, int row) {
            super(thread);
            this.row = row;
        }

        private boolean hasEnded() {
            Thread thread = get();
            return thread == null || !thread.isAlive();
        }
    }

    /**
     * Whether the current thread has a place of its own. Whoever would have used one and found none calls {@link
     * #missed}.
     */
    public static boolean hasMine() {
        // Only the look-up, as it is inlined everywhere: a second call in the middle of a caller's loop has the JIT
        // compiler keep the loop's values in memory.
        if (COUNT == 0) {
            return false;
        }
        long id = Thread.currentThread().threadId();
        return TABLE[rowOf(id)] == id;
    }

    /**
     * Where the current thread's own place begins in {@link Area#MEMORY}, if it {@link #hasMine has one}; otherwise a
     * number that nobody may use. The result is valid on this thread for as long as it lives.
     */
    public static long mine() {
        // Apart from the look above. The JIT compiler does what both do once; but if one method did both, and returned
        // 0 for no place, it would compare what it found with 0, as it does not know that no place begins there. An
        // assertion would make this too large to be inlined where it is rarely called while the compiler watches.
        return TABLE[rowOf(Thread.currentThread().threadId()) + 1];
    }

    private static int rowOf(long id) {
        return ((int) id & MASK) << 1;
    }

    /** Whether the current thread will never have a place, so that nobody need call {@link #missed} on it. */
    public static boolean isNeverMine() {
        return COUNT == 0 || Thread.currentThread().isVirtual();
    }

    /**
     * Notes that the current thread would have used a place of its own. A platform thread that has none and calls this
     * very often gets a place after some time.
     */
    public static void missed() {
        Thread thread = Thread.currentThread();
        long id = thread.threadId();
        if (isNeverMine() || hasMine()) {
            return;
        }
        int counter = ((int) id & COUNTERS_MASK) << COUNTER_SHIFT;
        long misses = MISSES[counter] + 1;
        MISSES[counter] = misses;
        if (misses >= HOT) {
            claimIfHot(thread, counter);
        }
    }

    /** Adds to a number in the current thread's own place, and returns what it has then. */
    public static long add(long offset, long delta) {
        long sum = (long) Area.LONG.get(Area.MEMORY, offset) + delta;
        Area.LONG.set(Area.MEMORY, offset, sum);
        return sum;
    }

    /**
     * Adds to a {@code long} number and to a {@code double} number in the current thread's own place. If the stack
     * overflows, neither is changed: the stores come last, and the second one takes no more stack than the first.
     * Returns what the {@code long} number has then.
     */
    public static long addLongAndDouble(long offset, long delta, long doubleOffset, double x) {
        long number = (long) Area.LONG.get(Area.MEMORY, offset) + delta;
        double sum = longBitsToDouble((long) Area.LONG.get(Area.MEMORY, doubleOffset)) + x;
        long bits = doubleToRawLongBits(sum);
        Area.LONG.set(Area.MEMORY, offset, number);
        Area.LONG.set(Area.MEMORY, doubleOffset, bits);
        return number;
    }

    /**
     * Raises a number in the current thread's own place to the given one, unless it is as great; as unsigned numbers.
     * Another thread R may exchange it for 0 at any time, between the look and the store too. Then R has what was there
     * before, and the greater number stays for the next one that takes it.
     */
    public static void raise(long offset, long least) {
        if (Long.compareUnsigned((long) Area.LONG.getOpaque(Area.MEMORY, offset), least) < 0) {
            Area.LONG.setOpaque(Area.MEMORY, offset, least);
        }
    }

    /**
     * How many places have, or have had, an owner. Their indices are the numbers below this one. It never decreases. An
     * update that happened before the call is in one of these places, in that of a CPU, or in the spare one.
     */
    public static int count() {
        return Area.places() - Area.FIRST_OWN;
    }

    /** Where an own place begins in {@link Area#MEMORY}. */
    public static long offset(int index) {
        return Area.offset(Area.FIRST_OWN + index, 0);
    }

    /** The index, below {@link #COUNT}, of the place that begins at an offset. */
    public static int index(long offset) {
        return (int) ((offset - offset(0)) >> Area.SHIFT);
    }

    /** How many threads have a place. Read without the lock: a thread that comes or ends now may be counted or not. */
    public static int taken() {
        int taken = 0;
        for (Owner owner : OWNERS) {
            if (owner != null && !owner.hasEnded()) {
                taken++;
            }
        }
        return taken;
    }

    private static void claimIfHot(Thread thread, int counter) {
        long now = System.nanoTime();
        long since = MISSES[counter + 1];
        MISSES[counter] = 0;
        MISSES[counter + 1] = now;
        if (now - since > HOT_NANOS) {
            return;
        }
        boolean locked = false;
        boolean claimed = false;
        try {
            locked = LOCK.tryAcquire();
            claimed = !locked || claim(thread);
        } catch (RuntimeException | Error refused) {
            // The caller does not need a place, so it must not fail because of that. If the heap is full or the stack
            // ends while the JVM links a call or initializes a class for this, any error can tell.
            claimed = false;
        } finally {
            if (locked) {
                LOCK.taken = 0;
            }
        }
        if (!claimed) {
            MISSES[counter] = -BACKOFF;
        }
    }

    /**
     * Gets a place for the current thread, which has the lock. If it throws, the thread has none; but it may have taken
     * places back, and opened one that is free now.
     *
     * @return false if there is none for it
     */
    private static boolean claim(Thread thread) {
        long id = thread.threadId();
        int row = rowOf(id);
        Owner owner = new Owner(thread, row);
        takeBack();
        int free = TABLE[row] == 0 ? free() : COUNT;
        if (free == COUNT) {
            return false;
        }
        long offset = offset(free);
        // Links the methods, so that later no class is loaded between their loads and their stores.
        long _ = add(offset, 0) + addLongAndDouble(offset, 0, offset, 0);
        raise(offset + CpuHeader.REHEARSED_OWN_NUMBER, id);
        // Nothing from here on can fail.
        OWNERS[free] = owner;
        TABLE[row + 1] = offset;
        TABLE[row] = id;
        return true;
    }

    /** A place without an owner; {@link #COUNT} if there is none. */
    private static int free() {
        int opened = count();
        for (int index = 0; index < opened; index++) {
            if (OWNERS[index] == null) {
                return index;
            }
        }
        return Area.openOwnPlace() ? opened : COUNT;
    }

    /** Takes back the places whose owners have ended. */
    private static void takeBack() {
        for (int index = 0; index < COUNT; index++) {
            Owner owner = OWNERS[index];
            if (owner != null && owner.hasEnded()) {
                OWNERS[index] = null;
                TABLE[owner.row] = 0;
            }
        }
    }

    static int wanted(@Nullable String text) {
        if (text == null) {
            int cpus = Topology.usable().cardinality();
            return Platform.hasSystemCalls()
                    ? Math.clamp((long) cpus * DEFAULT_PER_CPU, DEFAULT_LEAST, DEFAULT_MOST)
                    : Math.clamp(cpus, ALLOCATED_LEAST, ALLOCATED_MOST);
        }
        int places;
        try {
            places = Integer.parseInt(text.strip());
        } catch (NumberFormatException notANumber) {
            places = -1;
        }
        if (places < 0 || places > MOST) {
            throw new IllegalArgumentException(PROPERTY + " must be a whole number from 0 to " + MOST
                    + ", the number of threads that can have a place of their own, not '" + text + "'");
        }
        return places;
    }

    private static int powerOfTwo(int atLeast) {
        return Integer.highestOneBit(Math.max(1, atLeast * 2 - 1));
    }
}

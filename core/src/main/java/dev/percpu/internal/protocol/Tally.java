package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.protocol.CpuTallies.ClosableSlot;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;

/**
 * A count that each CPU keeps for itself until it is closed: then no addition succeeds any more, and what all of them
 * came to is known exactly. Reference counts and read locks are made of it.
 *
 * <p>A thread with a place of its own adds there, with ordinary instructions. Any other thread adds to the current
 * CPU's instance, as {@link CpuTallies} does. Closing has every thread look again whether the tally is open. That costs
 * a system call, and interrupts the other CPUs for a moment.
 *
 * <p>One thread at a time closes and opens a tally: with its monitor, which an addition takes only if the tally is
 * closed at the same moment.
 */
public final class Tally {
    /*
     * In its own place, a thread has two numbers: all that it added, and all that it subtracted. (With one number, each
     * update would wait until the processor has done the one before.) It changes one of them, and then checks whether
     * the tally is still open. The closing thread first marks the tally as closed, then reads both numbers and notes
     * their difference:
     *
     *   owner T                                     closing thread C
     *   1. the tally is open; loads 4
     *                                               2. marks it closed, heavy fence
     *                                               3. reads 4, notes 4
     *   4. stores 5, light fence
     *   5. it is not open: waits for C's lock
     *                                               6. gives up the lock
     *   7. C has noted 4: stores 4, not added
     *
     * With 4 before 3, C reads and notes 5. Then T finds that its addition is in C's sum, and is done. So C does not
     * wait for T, which may have lost its CPU in the middle. T waits until C is done, in the rare case that it saw the
     * tally open in 1 and closed in 5. While the tally is closed, 1 is as far as a thread gets.
     *
     * Only T writes the two numbers. C leaves them as they are: with the next closing, what C has noted is subtracted.
     * If C set them to 0, T's store in 4 could bring back what C had taken.
     *
     * If T sees the tally open in 5, its store is in the next sum. Either C closed it later. Then C's heavy fence comes
     * after T's look, and so after its store. Or the tally was closed and opened again between 1 and 5. Then C
     * noted what it read, 4 or 5, and the next closing finds the rest. If another closing begins while T is on its way
     * to 7, it needs the lock: T finds that 4 is noted, or 5, or that the tally is open.
     *
     * T's place may get a new owner U, between an addition and a subtraction, too. Nothing of the above is about the
     * thread, only about the place, and T's last store happens before U's first load (see OwnPlaces).
     *
     * A thread gets its first place while C closes: C counts the places after the heavy fence. If T saw the tally open
     * in 5, it had its place before that fence. If T sees it closed, and C has not seen T's place, then nothing is
     * noted there, and T takes its addition back.
     *
     * T executes no full fence between its store in 4 and its reads of the data that the count protects, so the
     * processor may do those reads first. The heavy fence in 2 makes up for that: either T's store was visible to C in
     * 3, or T's look in 5 came after that fence, and so did those reads.
     *
     * One case is not covered. Steps 5 and 7 need a few more frames than the store before them. In compiled code they
     * do too: they are so rare that the JIT compiler leaves them to the interpreter, and the change to the interpreter
     * may need heap. If the stack or the heap ends just there, and a closing thread came between 1 and 5, then T's
     * caller gets the error, and the place keeps the addition. A read lock then counts one reader too many, or too few.
     * T's handler cannot undo the addition: it has no more stack than that, and without the lock it would not know
     * whether C has noted 4 or 5. (The lock is a monitor, since entering one takes no stack.) A check for room before
     * each store would cover the stack, but would cost as much as everything else. But T can store in a field of this
     * object, which takes no stack. So a thread that relies on the count learns that it is unknown, and does not wait
     * for a reader that does not exist. (There is one exception. If the change to the interpreter fails because the
     * heap is full, the JVM may drop T's frame with its handler.)
     *
     * Shutting the gate, which sequences check, includes that heavy fence: so one system call serves both. On the
     * atomic back end, closing makes no system call, so the places are not used there.
     *
     * Refused: a mark that a thread sets before and removes after it, on which C waits. That is two more stores for
     * each addition, C waits for threads that have no CPU, and an error that keeps the mark set stops C for ever.
     *
     * Refused: to look at the gate in an own place too. To find its address takes six instructions more than a field
     * of this object, of thirty.
     */
    private static final CpuTallies TALLIES = CpuTallies.CURRENT;

    private static final boolean IN_OWN_PLACES = OwnPlaces.COUNT > 0 && Backends.usesSequences();

    /** In an own place a tally has these three numbers; elsewhere what {@link CpuTallies} says, which is no more. */
    static final int BYTES = 3 * Long.BYTES;

    /** Where an own place has what was subtracted; what was added is at the tally's position. */
    static final long SUBTRACTED = 8;

    /** Where an own place has the difference of the two as it was when the tally was last closed. */
    static final long NOTED = 16;

    static {
        // Links what is linked when it is first called. That could fail in the middle, when the heap is full; and it
        // loads classes, by a class loader that is a user's code and could lock a lock.
        Gate.initialize();
        rehearseSpareSlot();
        if (IN_OWN_PLACES) {
            rehearseOwnPlace();
        }
    }

    final long position;

    /** Whether a thread adds in its own place. On a CPU, {@link Gate} decides. */
    private volatile boolean open;

    /** Whether an error broke an addition off that found the tally closed after its store. */
    private volatile boolean unknown;

    private Tally(boolean open, String label) {
        position = Area.allocateFor(this, BYTES, Long.BYTES, label);
        this.open = open;
    }

    private Tally(long position) {
        this.position = position;
    }

    /** A new tally that is open. */
    public static Tally opened(String label) {
        return new Tally(true, label);
    }

    /**
     * A new tally that counts as closed: {@link #addInOwnPlace} fails until it is opened, and nobody calls {@link
     * #addOnCpu} before that.
     */
    public static Tally closed(String label) {
        return new Tally(false, label);
    }

    /** Adds to a count of the current thread or CPU, in order with nothing else; false if the tally is closed. */
    public boolean add(long delta) {
        return isNeverInOwnPlace() ? addOnCpu(delta) : addInOwnPlace(delta) || addOnCpu(delta);
    }

    /** Whether the current thread will never add in a place of its own. */
    public static boolean isNeverInOwnPlace() {
        return !IN_OWN_PLACES || OwnPlaces.isNeverMine();
    }

    /** Adds in the thread's own place; false if it has none, or the tally is closed. */
    public boolean addInOwnPlace(long delta) {
        return IN_OWN_PLACES && addIn(OwnPlaces.hasMine(), OwnPlaces.mine(), delta);
    }

    /**
     * Adds in a place, if the thread has one. A lock's tally is closed, and its readers have no places, while the JIT
     * compiler watches. What is rarely called then is not inlined, however often it is called later. So what follows
     * the first look calls nothing but what the compiler always inlines. And nothing computed before the second look is
     * used after it: with more values to keep, the compiler has a caller's loop keep its own in memory.
     */
    private boolean addIn(boolean has, long own, long delta) {
        long number = numberOf(own, delta);
        if (!has || !open) {
            return false;
        }
        // In the interpreter the fence below takes more stack than the store before it. If there is not enough, this
        // one fails, and nothing was added.
        VarHandle.acquireFence();
        long before = (long) Area.LONG.getOpaque(Area.MEMORY, number);
        Area.LONG.setOpaque(Area.MEMORY, number, delta > 0 ? before + delta : before - delta);
        // The light fence: where there are sequences, this is it.
        VarHandle.acquireFence();
        boolean known = false;
        try {
            // This look also keeps the tally reachable, and so its memory, until the store is done.
            boolean counted = open || isCounted(OwnPlaces.mine(), delta);
            known = true;
            return counted;
        } finally {
            if (!known) {
                unknown = true;
            }
        }
    }

    private long numberOf(long own, long delta) {
        return Area.within(own + position + (delta > 0 ? 0 : SUBTRACTED));
    }

    /** Adds to the current CPU's count; false if the tally is closed. */
    public boolean addOnCpu(long delta) {
        if (IN_OWN_PLACES) {
            OwnPlaces.missed();
        }
        try {
            return TALLIES.add(position, delta);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Whether an addition counts that found the tally closed after its store. If not, it is undone.
     *
     * @param own where the place begins
     * @param delta what was added
     */
    synchronized boolean isCounted(long own, long delta) {
        long added = own + position;
        if (open || read(added + NOTED) == difference(added)) {
            return true;
        }
        long number = numberOf(own, delta);
        write(number, read(number) - Math.abs(delta));
        return false;
    }

    private static long difference(long added) {
        return look(added) - look(added + SUBTRACTED);
    }

    /** What came to an own place since this was last called. */
    private long takeFrom(long own) {
        long added = own + position;
        long noted = read(added + NOTED);
        long difference = difference(added);
        if (difference != noted) {
            write(added + NOTED, difference);
        }
        return difference - noted;
    }

    /**
     * Closes it. What was done before any successful addition happens before the return. One thread at a time may close
     * and open. If the kernel refuses, the tally is as before.
     *
     * @return the sum of all successful additions since it was opened
     */
    public synchronized long close() {
        shut();
        long sum = TALLIES.take(position);
        if (IN_OWN_PLACES) {
            int places = Area.places();
            for (int place = Area.FIRST_OWN; place < places; place++) {
                sum += takeFrom(Area.offset(place, 0));
            }
        }
        return sum;
    }

    private void shut() {
        boolean before = open;
        boolean shut = false;
        open = false;
        try {
            TALLIES.shut(position);
            shut = true;
        } finally {
            if (!shut) {
                open = before;
            }
        }
    }

    /**
     * Whether the sums of {@link #close} are right: false for good once an error such as {@link StackOverflowError}
     * has broken an addition off in the middle. That may be noticed some time after a closing.
     */
    public boolean isKnown() {
        return !unknown;
    }

    /** Opens it, with a count of 0. */
    public synchronized void open() {
        TALLIES.open(position);
        open = true;
    }

    /** Whether a thread adds in its own place. */
    boolean isOpen() {
        return open;
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

    private static void rehearseSpareSlot() {
        long slot = Area.offset(Area.SPARE, CpuHeader.REHEARSED_TALLY);
        ClosableSlot.open(slot);
        boolean _ = ClosableSlot.add(slot, 1);
        long _ = ClosableSlot.close(slot);
        ClosableSlot.open(slot);
    }

    /** Adds 1 and subtracts it, as if the spare place were one of a thread. */
    private static void rehearseOwnPlace() {
        Tally tally = new Tally(CpuHeader.REHEARSED_TALLY);
        long own = Area.offset(Area.SPARE, 0);
        tally.open = true;
        boolean _ = tally.addIn(true, own, 1);
        boolean _ = tally.isCounted(own, 1);
        long _ = tally.takeFrom(own);
        boolean _ = tally.addIn(true, own, -1);
        long _ = tally.takeFrom(own);
    }
}

package dev.percpu.concurrent;

import dev.percpu.internal.protocol.NotInlined;
import dev.percpu.internal.protocol.StackRoom;
import dev.percpu.internal.protocol.Stripes;
import dev.percpu.internal.protocol.Tally;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * How many readers are inside a door, in three counters: the cheaper one is for readers, the more it costs a writer to
 * close. {@link ReaderDoor} does all waiting.
 */
abstract class ReadersInside {
    // This file is longer than others: comments describe the interleavings beside the steps.

    /*
     * The readers inside are one sum over three counters:
     *
     *   counter      a reader pays              a writer pays to close it
     *   tally        two sequences              a membarrier: microseconds, and an interrupt on the other CPUs
     *   stripes      two atomic instructions    an atomic instruction for each stripe
     *   word         two atomic instructions    nothing: the word is what the writer changes anyway
     *                on a shared line
     *
     * A reader may come in through one and leave through another, so each may be negative. `mode` names the counter
     * that readers should use; those that have places of their own look at the tally first. It is only a hint, as what
     * counts is the sum: a reader that finds a counter closed uses the word. A writer leaves all but the word closed,
     * so another writer finds it cheap. Readers that come again and again without a writer open the stripes, and later
     * the tally: see `ReaderThresholds`.
     *
     * The word has, from its highest bit on, how many readers have come in through it since the last writer; its part
     * of the sum; and
     *
     *   SHUT     a writer is inside, or waits for readers to leave: no reader comes in through the word
     *   STRAY    the tally or the stripes may be open, so only the sum of all counters is exact
     *   WAITERS  somebody is parked, or about to be: whoever opens the door, or leaves last, has to wake
     *
     * The thread that has set SHUT is `shutter`. Only that thread clears SHUT and closes counters. To open a counter, a
     * thread must have the mutex, and must have set STRAY while SHUT was not set.
     *
     * A reader that comes in through the tally while a writer W shuts the door:
     *
     *   reader R                                    writer W
     *   1. sequence: the tally's gate is open
     *                                               2. sets SHUT
     *                                               3. shuts the tally's gate
     *   4. commit: count on its CPU + 1
     *                                               5. membarrier: R's sequence is over or starts over
     *                                               6. adds up the counts
     *
     * With 4 before 5, the count is visible at 6, and W waits for R. With 5 before 4, R starts over, finds the tally
     * closed, and SHUT in the word. R executes no full fence between its count and its reads of the data, though a
     * processor may do reads before an older store is visible: 5 is a full barrier on R's CPU. So either R's store was
     * visible to 6, or R does its reads after 5, having found the gate shut. What happens in a place of R's own is told
     * in Tally. With a stripe it is simpler: R's addition and W's closing are atomic changes of one number.
     *
     * A reader R opens a counter while a writer W comes:
     *
     *   reader R                                    writer W
     *   1. mutex; SHUT is not set: sets STRAY
     *                                               2. sets SHUT; finds STRAY: waits for the mutex
     *   3. opens the counter; gives up the mutex
     *                                               4. closes the counter; adds what it held to the word; clears STRAY
     *
     * With 2 before 1, R finds SHUT, and opens nothing. So no counter is opened once W has the sum.
     *
     * A reader R that leaves while the door shuts, by a counter that is closed already:
     *
     *   reader R                                    writer W
     *                                               1. closes the stripe: R's 1 is in W's sum, not yet in the word
     *   2. word - 1: -1, STRAY is set
     *                                               3. word + 1: 0, clears STRAY: nobody is inside
     *
     * So a negative word is no error as long as STRAY is set, and R wakes nobody there: W looks at the word after 3.
     */
    static final long SHUT = 1;
    static final long STRAY = 2;
    static final long WAITERS = 4;
    static final long ONE = 8;

    private static final int LOW_BITS = 44;
    private static final long ARRIVAL = 1L << LOW_BITS;
    static final long LOW = ARRIVAL - 1;

    static final VarHandle WORD = word();

    static {
        WithoutOwnPlace.initialize();
    }

    /** What {@link #mode} can be. A lock begins with the first one, so that it costs nothing until it is used often. */
    private static final int IN_WORD = 0;

    private static final int IN_STRIPES = 1;
    private static final int IN_TALLY = 2;

    // All begin with their default values, so a thread that gets the lock by a data race sees the right ones.
    volatile long word;
    private int mode;

    /** Whether these may be open; guarded by the mutex. */
    private boolean tallyOpen;

    private boolean stripesOpen;

    /** What closed counters held, and what is not in the word yet; guarded by the mutex. */
    private long pending;

    /** How many more readers have left than came, as writers have found; guarded by the mutex. */
    private long excess;

    /** The lock's name, for messages. */
    final String label;

    private final Tally tally;
    private final Stripes stripes;
    private final ReaderThresholds thresholds;

    /**
     * Held to open and to close counters, and to wait. For conditions of the write lock, a thread holds it to open the
     * door and wait, to signal, and to ask who waits.
     */
    final StackSafeLock mutex = new StackSafeLock();

    ReadersInside(String label, ReaderThresholds thresholds) {
        this.label = label;
        tally = Tally.closed(label);
        stripes = new Stripes(label);
        this.thresholds = thresholds;
        // These change nothing. They link the calls, which otherwise a reader does that has come in, to open a counter
        // or to go out after an error. If the heap were full then, its lock() would fail, and a writer wait for ever.
        boolean _ = WORD.compareAndSet(this, 0L, 0L);
        long _ = (long) WORD.compareAndExchange(this, 0L, 0L);
    }

    private static VarHandle word() {
        try {
            return MethodHandles.lookup().findVarHandle(ReadersInside.class, "word", long.class);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("the field of the door's word", e);
        }
    }

    static long inside(long word) {
        return lower(word) >> Long.numberOfTrailingZeros(ONE);
    }

    /** How many readers came in since the last writer. */
    private static long arrivals(long word) {
        // A negative sum has borrowed 1 from the arrivals, and gives it back when it is subtracted.
        return (word - lower(word)) >>> LOW_BITS;
    }

    /** The sum and the flags, as one signed number. */
    private static long lower(long word) {
        return word << (Long.SIZE - LOW_BITS) >> (Long.SIZE - LOW_BITS);
    }

    static boolean has(long word, long flag) {
        return (word & flag) != 0;
    }

    /** Goes in unless the door is shut. */
    final boolean tryEnter() {
        // First, so that a virtual thread looks for no place: its lock and unlock take 8 ns instead of 10 (Zen 4).
        if (Tally.isNeverInOwnPlace()) {
            return tryEnterWithoutOwnPlace();
        }
        // This comes before the mode, although it fails in most modes. While the JIT compiler watches, a lock is in
        // another mode. The compiler does not inline a call that is rare then, however frequent it becomes later. All
        // else is one call, around which the compiler keeps a caller's values in memory.
        if (tally.addInOwnPlace(1)) {
            // The reads of the data stay behind the look at the tally. For the processor, see above.
            VarHandle.acquireFence();
            return true;
        }
        return WithoutOwnPlace.tryEnter(this);
    }

    private boolean tryEnterWithoutOwnPlace() {
        int hint = mode;
        if (hint == IN_TALLY) {
            if (tally.addOnCpu(1)) {
                VarHandle.acquireFence();
                return true;
            }
        } else if (hint == IN_STRIPES) {
            int enough = thresholds.beforeTally();
            int arrivals = stripes.arrive(enough);
            if (arrivals != Stripes.CLOSED) {
                if (arrivals >= enough) {
                    openCounter(IN_TALLY);
                }
                return true;
            }
        }
        return tryEnterCentrally();
    }

    final boolean tryEnterCentrally() {
        long found = word;
        while (!has(found, SHUT)) {
            boolean opens = arrivals(found) >= thresholds.beforeStripes();
            if (opens) {
                // Before the arrival, as nothing may fail after it.
                StackRoom.CURRENT.ensure();
            }
            long before = (long) WORD.compareAndExchange(this, found, found + ARRIVAL + ONE);
            if (before == found) {
                if (opens) {
                    openCounter(IN_STRIPES);
                }
                return true;
            }
            found = before;
        }
        return false;
    }

    /**
     * A reader that has come in opens a counter for the next. Before it came in, it made sure that the stack has room
     * for that. A second check here could fail, and a reader whose call has failed does not leave:
     *
     * <pre>
     *   reader R                                    writer W
     *   1. finds room for the opening; word + 1
     *   2. looks for room to take the mutex, some
     *      calls deeper: an error; R is gone
     *                                               3. waits for R to leave, for ever
     * </pre>
     */
    private void openCounter(int next) {
        if (mode >= next || !mutex.tryLock()) {
            return;
        }
        try {
            if (mode >= next || (next == IN_TALLY ? tallyOpen : stripesOpen)) {
                return;
            }
            long found;
            do {
                found = word;
                if (has(found, SHUT)) {
                    return;
                }
            } while (!WORD.compareAndSet(this, found, found | STRAY));
            if (next == IN_TALLY) {
                tallyOpen = true;
                tally.open();
            } else {
                stripesOpen = true;
                stripes.open();
            }
            // A reader that sees the mode must not find a counter that is not opened yet: the store of 0 that follows
            // would undo its arrival. On AArch64 a release store does not keep back a plain store that follows it.
            VarHandle.releaseFence();
            mode = next;
        } finally {
            mutex.unlock();
        }
    }

    /** Goes in although the door is shut. Only the thread that shut it may do this. */
    final void enterShut() {
        long _ = (long) WORD.getAndAdd(this, ONE);
    }

    /**
     * Goes out.
     *
     * @throws IllegalMonitorStateException if it is known that nobody is inside
     */
    final void leave() {
        // All that was done inside stays before the count.
        VarHandle.releaseFence();
        if (Tally.isNeverInOwnPlace()) {
            leaveWithoutOwnPlace();
        } else if (!tally.addInOwnPlace(-1)) {
            WithoutOwnPlace.leave(this);
        }
    }

    private void leaveWithoutOwnPlace() {
        int hint = mode;
        if (hint == IN_TALLY) {
            if (tally.addOnCpu(-1)) {
                return;
            }
        } else if (hint == IN_STRIPES && stripes.depart()) {
            return;
        }
        leaveCentrally();
    }

    final void leaveCentrally() {
        long found = word;
        while (true) {
            checkSomebodyInside(found);
            if (isLastOneWaitedFor(found)) {
                leaveAndWake();
                return;
            }
            long before = (long) WORD.compareAndExchange(this, found, found - ONE);
            if (before == found) {
                return;
            }
            found = before;
        }
    }

    private static boolean isLastOneWaitedFor(long word) {
        return (word & LOW) == (ONE | SHUT | WAITERS);
    }

    final void checkSomebodyInside(long word) {
        if (!has(word, STRAY) && inside(word) <= 0) {
            throw new IllegalMonitorStateException(
                    "the read lock of " + label + " has been unlocked more often than locked: no reader is inside");
        }
    }

    /** Does what {@link #leaveCentrally} does for the last reader that a writer waits for. */
    abstract void leaveAndWake();

    /**
     * Closes the tally and the stripes, so that the word is the exact sum; for the shutter.
     *
     * @throws IllegalMonitorStateException if a writer has ever found that more readers have left than came, or if
     *     nobody knows how many
     */
    final void closeCounters() {
        mutex.lockInRoom();
        try {
            checkKnown();
            if (stripesOpen) {
                long arrivals = 0;
                for (int index = 0; index < Stripes.slots(); index++) {
                    long slot = stripes.close(index);
                    pending += Stripes.sum(slot);
                    arrivals += Stripes.arrivals(slot);
                }
                stripesOpen = false;
                thresholds.stripesClosed(arrivals);
            }
            if (tallyOpen) {
                long start = System.nanoTime();
                pending += tally.close();
                tallyOpen = false;
                thresholds.tallyClosed(System.nanoTime() - start);
            }
            mode = IN_WORD;
            addPending();
        } finally {
            mutex.unlock();
        }
    }

    /**
     * Whether the sum of the counters is right. What happens in a place of a thread's own can leave it unknown: see
     * Tally. Then a reader whose unlock has failed unlocks again, although the first one counted. So a writer that has
     * found nobody inside asks this after it has read the count:
     *
     * <pre>
     *   reader R                                    writer W
     *                                               1. adds up: 2 readers, R has left: 1
     *   2. an error breaks R's unlock off: unknown
     *   3. R unlocks again: 0
     *                                               4. reads 0, and would be alone with the other reader
     * </pre>
     */
    final boolean isKnown() {
        return tally.isKnown();
    }

    final void checkKnown() {
        if (!isKnown()) {
            throw new IllegalMonitorStateException("an error interrupted a call of the read lock of " + label
                    + ", so nobody can say whether readers are inside. Make another lock");
        }
    }

    private void addPending() {
        long found;
        do {
            found = word;
            excess = Math.max(excess, -(inside(found) + pending));
            // A negative total is wrong. Readers that come later raise it, but are inside all the same. So STRAY stays
            // set for good, and nobody relies on the count.
        } while (!WORD.compareAndSet(this, found, (found + pending * ONE) & (excess > 0 ? -1 : ~STRAY)));
        pending = 0;
        if (excess > 0) {
            throw new IllegalMonitorStateException("the read lock of " + label + " has been unlocked " + excess
                    + " times more often than locked, so nobody can say whether readers are inside");
        }
    }

    /** How many readers are inside; negative if nobody knows. */
    final long readersIfKnown() {
        long found = word;
        return has(found, STRAY) || !isKnown() ? -1 : inside(found);
    }

    /** What a thread without an own place does. */
    @SuppressWarnings("serial") // there are no objects of it
    private static final class WithoutOwnPlace extends NotInlined {
        static void initialize() {
            // Calling this is enough.
        }

        static boolean tryEnter(ReadersInside readers) {
            return readers.tryEnterWithoutOwnPlace();
        }

        static void leave(ReadersInside readers) {
            readers.leaveWithoutOwnPlace();
        }
    }
}

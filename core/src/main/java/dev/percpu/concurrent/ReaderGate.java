package dev.percpu.concurrent;

import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What readers go in and out through, each counted on its CPU, until a writer shuts it and waits for the last of them
 * to leave. Writers exclude each other elsewhere: one thread at a time may shut and open.
 */
final class ReaderGate {
    /*
     * The readers inside are the tally plus `inside`. While the gate is open, both are parts of one sum: a reader may
     * come in through the one and leave through the other, and either may be negative. Shutting closes the tally and
     * moves what it came to into `inside`, which then is the number of readers inside, exactly. Everything that is not
     * the tally is guarded by the mutex; shutting and opening hold it, so a reader that finds the tally closed and
     * takes the mutex finds all of a shutting or nothing of it.
     *
     * A reader R that looked at the tally's gate word just before it closed:
     *
     *   reader R                                    writer W
     *   1. sequence: gate word is 0
     *                                               2. gate word = 1
     *   3. commit: count on its CPU + 1
     *                                               4. membarrier: R's sequence is over or starts over
     *                                               5. adds up the counts
     *
     * With 3 before 4, the count is visible at 5, and W waits for R. With 4 before 3, R starts over, finds 1, and
     * waits. No fence of R's stands between its count and its reads of the data, though a processor may do reads before
     * an older store is visible: 4 is a full barrier on R's CPU. So either R's store was visible to 5, or R does its
     * reads after 4, having found the gate closed. That is what a reader saves, and what a writer pays for.
     *
     * A reader R that leaves while the gate shuts:
     *
     *   reader R                                    writer W
     *                                               1. takes the mutex; closes the tally: R is in the sum
     *   2. finds the tally closed
     *   3. waits for the mutex
     *                                               4. inside = sum, at least 1: waits on `empty`, which gives the
     *                                                  mutex up and waits in one step
     *   5. has the mutex: inside - 1 is 0; signals
     *                                               6. has the mutex back: inside is 0
     *
     * R cannot count itself out between 1 and 4, where the last reader would be missed, nor signal between W's look at
     * `inside` and W's waiting. If R commits its count out before W's membarrier, W adds it up instead.
     *
     * A reader R that is turned away while the writer opens:
     *
     *   reader R                                    writer W
     *   1. finds the tally closed
     *                                               2. with the mutex: admits who waits, opens, gives the mutex up
     *   3. has the mutex: the gate is open
     *   4. inside + 1
     *
     * R does not go back to 1, where the next writer might have shut the gate again, and so on for ever.
     *
     * Opening counts in, at once, all readers that wait: whoever came while a writer had the lock is inside before the
     * next writer can shut the gate, which must then wait for them. So a reader waits for one writer and no more, and a
     * stream of writers lets all readers through between any two of them (phase-fair, in the words of Brandenburg and
     * Anderson). Shutting, on the other hand, keeps new readers out from its first moment.
     *
     * A writer that loses patience leaves readers behind, in `inside`. They stay counted there. Later they leave
     * through the tally, which becomes negative, and the next shutting adds the two up.
     *
     * Refused: counting readers in an atomic number while the gate is shut, with a bias until the sum is in. It saves
     * the mutex on a path that waits anyway, and brings back each of the races above.
     */
    private final Tally tally;

    private final ReentrantLock mutex = new ReentrantLock();
    private final Condition admission = mutex.newCondition();
    private final Condition empty = mutex.newCondition();

    private boolean shut;

    /** Whether whoever shut the gate is alone; changed by that thread, and read by others to report it. */
    private volatile boolean alone;

    private long inside;
    private long waiting;

    /** How often the gate was opened; tells a waiting reader that it has been counted in. */
    private long openings;

    ReaderGate(String owner) {
        tally = new Tally(owner);
    }

    /** Goes in unless the gate is shut. */
    boolean tryEnter() {
        boolean entered = tally.add(1);
        // The reads of the data stay behind the look at the gate word. The processor's part is told above.
        VarHandle.acquireFence();
        return entered;
    }

    /**
     * Goes in, or waits for that.
     *
     * @return false if patience ended
     */
    boolean enter(Patience patience) throws InterruptedException {
        mutex.lock();
        try {
            if (!shut) {
                inside++;
                return true;
            }
            return awaitAdmission(patience);
        } finally {
            mutex.unlock();
        }
    }

    private boolean awaitAdmission(Patience patience) throws InterruptedException {
        long arrival = openings;
        waiting++;
        try {
            while (arrival == openings && patience.await(admission)) {}
        } catch (InterruptedException e) {
            if (arrival == openings) {
                throw e;
            }
            // Counted in already, so the interrupt is the caller's business.
            Thread.currentThread().interrupt();
        } catch (Error e) {
            if (arrival != openings) {
                // Counted in already, and the caller will not know.
                countOut();
            }
            throw e;
        } finally {
            if (arrival == openings) {
                waiting--;
            }
        }
        return arrival != openings;
    }

    /** Goes in although the gate is shut, which only who shut it may do. */
    void enterShut() {
        mutex.lock();
        try {
            inside++;
        } finally {
            mutex.unlock();
        }
    }

    /**
     * Goes out.
     *
     * @throws IllegalMonitorStateException if the gate is shut and nobody is inside
     */
    void leave() {
        // All that was done inside stays before the count, on this CPU or in the mutex.
        VarHandle.releaseFence();
        if (!tally.add(-1)) {
            leaveShut();
        }
    }

    private void leaveShut() {
        mutex.lock();
        try {
            if (shut && inside == 0) {
                throw new IllegalMonitorStateException(
                        "no reader is inside: this read lock has been unlocked more often than locked");
            }
            countOut();
        } finally {
            mutex.unlock();
        }
    }

    private void countOut() {
        inside--;
        if (shut && inside == 0) {
            empty.signal();
        }
    }

    /**
     * Shuts the gate and waits until nobody is inside. If it fails in any way, the gate is open.
     *
     * @return false if patience ended
     * @throws IllegalMonitorStateException if more readers have left than came
     */
    boolean shut(Patience patience) throws InterruptedException {
        mutex.lock();
        try {
            inside += tally.close();
            shut = true;
            try {
                alone = awaitEmpty(patience);
            } finally {
                if (!alone) {
                    openLocked();
                }
            }
            return alone;
        } finally {
            mutex.unlock();
        }
    }

    /**
     * Whether {@link #shut} has succeeded, and {@link #open} has not been called since; for the thread that may shut.
     */
    boolean isAlone() {
        return alone;
    }

    /** How many threads wait: readers, and a writer that waits for readers to leave. */
    long waiting() {
        mutex.lock();
        try {
            return waiting + (shut && !alone ? 1 : 0);
        } finally {
            mutex.unlock();
        }
    }

    /** How many readers are inside; negative while the gate is open, as nobody knows it then. */
    long readersIfKnown() {
        mutex.lock();
        try {
            return shut ? inside : -1;
        } finally {
            mutex.unlock();
        }
    }

    private boolean awaitEmpty(Patience patience) throws InterruptedException {
        if (inside < 0) {
            throw new IllegalMonitorStateException("this lock's read lock has been unlocked " + -inside
                    + " times more often than locked, so nobody can say whether readers are inside");
        }
        while (inside != 0 && patience.await(empty)) {}
        return inside == 0;
    }

    /** Opens the gate, and lets in all readers that wait. */
    void open() {
        mutex.lock();
        try {
            openLocked();
        } finally {
            mutex.unlock();
        }
    }

    private void openLocked() {
        alone = false;
        inside += waiting;
        waiting = 0;
        openings++;
        if (shut) {
            // In this order, so that an opening that an error broke off can be repeated: opening the tally a second
            // time
            // would forget who came in through it since. A closed tally with the gate open is only slow.
            shut = false;
            tally.open();
        }
        admission.signalAll();
    }
}

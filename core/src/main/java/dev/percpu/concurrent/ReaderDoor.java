package dev.percpu.concurrent;

import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/**
 * What readers go in and out through, until a writer shuts it and waits for the last of them to leave. One writer at a
 * time has it shut.
 */
final class ReaderDoor extends ReadersInside {
    // This file is longer than others: comments describe the interleavings beside the steps.

    /*
     * A reader R that leaves last, while a writer waits:
     *
     *   reader R                                    writer W
     *                                               1. the word is not 0: mutex; sets WAITERS
     *   2. finds WAITERS: waits for the mutex
     *                                               3. waits on `empty`, which gives up the mutex in one step
     *   4. mutex; signals; word - 1: 0
     *   5. gives up the mutex
     *                                               6. has the mutex back, finds 0
     *
     * With R's decrement before 1, W finds 0 at 1, as it sets WAITERS in the word that it found not to be 0. The signal
     * comes before the decrement so that an error between the two only wakes W for nothing.
     *
     * A reader R that is turned away while the writer opens:
     *
     *   reader R                                    writer W
     *   1. finds SHUT; mutex; sets WAITERS
     *                                               2. finds WAITERS: waits for the mutex
     *   3. waiting + 1; waits on `admission`
     *                                               4. mutex; word + waiting, clears SHUT and WAITERS: one step
     *
     * With W's clearing before 1, R goes in. In a fair lock, 4 counts in, at once, all readers that wait. They are
     * inside before the next writer can shut the door, which must then wait for them. So a reader waits for one writer
     * and no more, and a stream of writers lets all readers through between any two of them (phase-fair, in the words
     * of Brandenburg and Anderson). That makes the next writer wait until a parked reader has woken up, read and left:
     * microseconds for each write. So in a lock that is not fair, 4 only wakes the readers, and writers may come in
     * before them. A reader that has been passed over for a millisecond insists, and then 4 counts in all that wait.
     *
     * If a writer gives up, the word still counts the readers that are inside. They leave through any open counter.
     *
     * Refused: a word of state that also says who owns the lock and who waits, as AbstractQueuedLongSynchronizer would
     * have it. In its queue, readers wait for each writer that came before them.
     */
    /** How often a writer looks whether the last reader has left before it parks: most readers leave at once. */
    private static final int SPINS = Runtime.getRuntime().availableProcessors() > 1 ? 10 : 0;

    /** How long writers may pass a waiting reader, in nanoseconds, if the lock is not fair. */
    private static final long MOST_PASSED_OVER = 1_000_000;

    /** Whether writers come in the order in which they asked, and all waiting readers between any two writers. */
    final boolean fair;

    /** Keeps the whole lock reachable, and so in the listing, for a program that only has one of its sides. */
    @Nullable
    PerCpuReadWriteLock whole;

    /** The thread that set SHUT; written by it, and cleared before SHUT is. */
    private @Nullable Thread shutter;

    /** Whether no reader was inside since the shutter set SHUT; written by the shutter. */
    private boolean alone;

    private final Condition admission = mutex.newCondition();
    private final Condition empty = mutex.newCondition();
    private final Condition opened = mutex.newCondition();

    /** Readers that wait; guarded by the mutex. */
    private long waiting;

    /** Those of them that no further writer may pass; guarded by the mutex. */
    private long insisting;

    /** How often waiting readers were let in, which tells each that it has been counted in; guarded by the mutex. */
    private long openings;

    /**
     * The reports of writers that wait for readers. They are apart from those below, as a nested read lock causes
     * both waits.
     */
    private final LongWaitReports waitsForReaders = new LongWaitReports();

    /** The reports of all threads that wait for a writer. */
    private final LongWaitReports waitsForWriter = new LongWaitReports();

    /** Who is inside, in checked mode; otherwise null. */
    final @Nullable ReadHolds holds;

    ReaderDoor(String label, boolean fair, ReaderThresholds thresholds) {
        super(label, thresholds);
        holds = CheckedMode.ON ? new ReadHolds(label) : null;
        this.fair = fair;
    }

    /**
     * Goes in, or waits for that.
     *
     * @return false if the policy ended the wait
     */
    boolean enter(WaitPolicy policy) throws InterruptedException {
        mutex.lock();
        try {
            return tryEnterCentrally() || awaitAdmission(policy);
        } finally {
            mutex.unlock();
        }
    }

    /** Sets WAITERS, with the mutex; false if the door is open by now, and the caller should try again. */
    private boolean askToBeWoken() {
        long found = word;
        while (has(found, SHUT)) {
            if (WORD.compareAndSet(this, found, found | WAITERS)) {
                return true;
            }
            found = word;
        }
        return false;
    }

    private boolean awaitAdmission(WaitPolicy policy) throws InterruptedException {
        long start = System.nanoTime();
        long arrival = openings;
        boolean insists = fair;
        boolean told = false;
        waiting++;
        insisting += insists ? 1 : 0;
        try {
            while (arrival == openings) {
                if (tryEnterCentrally()) {
                    told = true;
                    return true;
                }
                if (!insists && System.nanoTime() - start >= MOST_PASSED_OVER) {
                    insists = true;
                    insisting++;
                }
                if (askToBeWoken() && !await(policy, admission, start, "read")) {
                    told = true;
                    return arrival != openings;
                }
            }
            told = true;
            return true;
        } catch (InterruptedException e) {
            if (arrival == openings) {
                throw e;
            }
            // Counted in already, so the interrupt is the caller's business.
            Thread.currentThread().interrupt();
            told = true;
            return true;
        } finally {
            if (arrival == openings) {
                waiting--;
                insisting -= insists ? 1 : 0;
            } else if (!told) {
                // Counted in already, and the caller will not know, as an error ends the call. Not in a handler for
                // errors: with a full heap, the JVM may pass over one that was never used.
                leaveCentrally();
            }
        }
    }

    /**
     * Waits with the mutex, and has it afterwards, even if an error ended the wait before the thread had it back. A
     * wait that began long ago is reported first, without the mutex.
     */
    private boolean await(WaitPolicy policy, Condition condition, long start, String side) throws InterruptedException {
        long waited = System.nanoTime() - start;
        Thread writer = shutter;
        try {
            if (writer != null && (isShutByMe() ? waitsForReaders : waitsForWriter).isNews(waited)) {
                long readers = alone ? 0 : readersIfKnown();
                // With the mutex: the writer cannot open the door now, as WAITERS is set. So if it has ended, it never
                // will.
                boolean ended = !writer.isAlive();
                mutex.unlock();
                LongWaitReports.report(side, label, waited, writer, ended, readers, holds);
                return true;
            }
            return policy.await(condition, LongWaitReports.untilReport(waited), label);
        } finally {
            if (!mutex.isHeldByCurrentThread()) {
                mutex.lockInRoom();
            }
        }
    }

    @Override
    void leaveAndWake() {
        mutex.lock();
        try {
            empty.signal();
            long found;
            do {
                found = word;
                checkSomebodyInside(found);
            } while (!WORD.compareAndSet(this, found, found - ONE));
        } finally {
            mutex.unlock();
        }
    }

    /** Whether the current thread has the door shut, or is shutting it. */
    boolean isShutByMe() {
        return shutter == Thread.currentThread();
    }

    /** Shuts the door if one step is enough: if it is certain that nobody is inside, and no other thread shuts it. */
    boolean tryShutAtOnce() {
        Thread me = Thread.currentThread();
        long found = word;
        if ((found & LOW) != 0 || !isKnown() || !WORD.compareAndSet(this, found, SHUT)) {
            return false;
        }
        // No call between the step and these, so no stack overflow.
        shutter = me;
        alone = true;
        return true;
    }

    /**
     * Begins to shut the door, unless another thread has it shut: no reader comes in any more. Then {@link #awaitAlone}
     * and {@link #open} have to follow.
     */
    boolean tryBeginShutting() {
        Thread me = Thread.currentThread();
        long found = word;
        while (!has(found, SHUT)) {
            if (WORD.compareAndSet(this, found, found | SHUT)) {
                shutter = me;
                return true;
            }
            found = word;
        }
        return false;
    }

    /**
     * Begins to shut the door, or waits for that; one thread at a time may do so. The caller has made sure that the
     * stack has room.
     *
     * @return false if the policy ended the wait
     */
    boolean beginShutting(WaitPolicy policy) throws InterruptedException {
        long start = System.nanoTime();
        mutex.lockInRoom();
        try {
            while (!tryBeginShutting()) {
                if (askToBeWoken() && !await(policy, opened, start, "write")) {
                    return false;
                }
            }
            return true;
        } finally {
            mutex.unlock();
        }
    }

    /**
     * Waits until nobody is inside, for the thread that has begun to shut the door. If it fails in any way, the door is
     * still shut. The caller has made sure that the stack has room.
     *
     * @return false if the policy ended the wait
     * @throws IllegalMonitorStateException if more readers have left than came, or nobody knows how many
     */
    boolean awaitAlone(WaitPolicy policy) throws InterruptedException {
        if (has(word, STRAY)) {
            closeCounters();
        }
        boolean empty = isEmptySoon(policy.waits() ? SPINS : 0) || awaitEmpty(policy);
        checkKnown();
        alone = empty;
        return empty;
    }

    private boolean isEmptySoon(int spins) {
        int left = spins;
        while (inside(word) != 0) {
            if (left <= 0) {
                return false;
            }
            left--;
            Thread.onSpinWait();
        }
        return true;
    }

    private boolean awaitEmpty(WaitPolicy policy) throws InterruptedException {
        long start = System.nanoTime();
        mutex.lockInRoom();
        try {
            while (true) {
                long found = word;
                if (inside(found) == 0) {
                    return true;
                }
                checkKnown();
                if (WORD.compareAndSet(this, found, found | WAITERS) && !await(policy, empty, start, "write")) {
                    return inside(word) == 0;
                }
            }
        } finally {
            mutex.unlock();
        }
    }

    /** Whether a writer is alone: {@link #awaitAlone} has succeeded, and {@link #open} has not been called since. */
    boolean isAlone() {
        return has(word, SHUT) && alone;
    }

    /** How many threads wait: readers, and a writer that waits for readers to leave. */
    long waiting() {
        mutex.lock();
        try {
            return waiting + (has(word, SHUT) && !alone ? 1 : 0);
        } finally {
            mutex.unlock();
        }
    }

    /** Opens the door, and lets in or wakes the readers that wait. If it throws, the door is as before. */
    void open() {
        if (!tryOpenAtOnce()) {
            mutex.lock();
            openAndWake();
        }
    }

    /** Does the same for a caller that has made sure that the stack has room for it. */
    void openInRoom() {
        if (!tryOpenAtOnce()) {
            mutex.lockInRoom();
            openAndWake();
        }
    }

    /** Opens the door unless a thread waits. */
    private boolean tryOpenAtOnce() {
        long found = word;
        while (!has(found, WAITERS)) {
            // The count of readers that arrive begins again at 0.
            if (release(found, found & LOW & ~SHUT)) {
                return true;
            }
            found = word;
        }
        return false;
    }

    /** Opens the door with the mutex, which it gives up. */
    private void openAndWake() {
        try {
            // First, so that an error after it only wakes them for nothing.
            admission.signalAll();
            opened.signal();
            long admitted = insisting > 0 ? waiting : 0;
            long found;
            do {
                found = word;
            } while (!release(found, ((found & LOW) + admitted * ONE) & ~(SHUT | WAITERS)));
            if (admitted > 0) {
                insisting = 0;
                waiting = 0;
                openings++;
            }
        } finally {
            mutex.unlock();
        }
    }

    /**
     * Changes the word to one without SHUT; false if the word has changed meanwhile. {@code shutter} and {@code alone}
     * are cleared before, as another writer may set them afterwards.
     */
    private boolean release(long found, long next) {
        Thread me = shutter;
        boolean wasAlone = alone;
        boolean released = false;
        alone = false;
        shutter = null;
        try {
            released = WORD.compareAndSet(this, found, next);
        } finally {
            if (!released) {
                shutter = me;
                alone = wasAlone;
            }
        }
        return released;
    }
}

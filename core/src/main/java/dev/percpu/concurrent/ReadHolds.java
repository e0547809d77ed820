package dev.percpu.concurrent;

import dev.percpu.internal.guard.Reports;
import org.jspecify.annotations.Nullable;

/**
 * Which threads have a read lock, and where they locked it, in checked mode.
 *
 * <p>A read lock may be unlocked by another thread than it was locked by. Then nobody can say whose hold that was. So
 * it is only counted, as a hold of some thread that has ended: a thread has a hold for sure if it has more than there
 * are ended ones. Once all have ended, they are forgotten.
 */
final class ReadHolds {
    private final String lock;
    private @Nullable Hold newest;
    private int count;

    /**
     * How many of these holds were ended by a thread that had none. It is negative if a thread put back what it had
     * ended, and the holds had been forgotten: then the lock has been locked so often more than there are holds.
     */
    private int ended;

    private @Nullable Throwable lastUnlocked;

    ReadHolds(String lock) {
        this.lock = lock;
    }

    /** One hold. */
    static final class Hold {
        private final Thread thread = Thread.currentThread();
        private final Throwable locked = new Throwable("read lock locked here by " + thread);
        private @Nullable Hold older;
    }

    /** Makes a hold of the current thread. This is done before the thread locks, as it can fail. */
    static Hold prepare() {
        return new Hold();
    }

    synchronized void add(Hold hold) {
        hold.older = newest;
        newest = hold;
        count++;
    }

    /**
     * Ends a hold, of the current thread if it has one.
     *
     * @return the current thread's hold; null if it had none, so that it was another one's
     * @throws IllegalMonitorStateException if no thread has one
     */
    @Nullable
    Hold remove() {
        Throwable unlocked = new Throwable("read lock unlocked here by " + Reports.describe(Thread.currentThread()));
        return remove(unlocked);
    }

    /** Undoes {@link #remove()}, which has returned this hold. Nothing is allocated. */
    synchronized void putBack(@Nullable Hold hold) {
        if (hold == null) {
            ended--;
        } else {
            add(hold);
        }
    }

    private synchronized @Nullable Hold remove(Throwable unlocked) {
        if (count == ended) {
            IllegalMonitorStateException tooMany =
                    new IllegalMonitorStateException(Reports.describe(Thread.currentThread())
                            + " unlocks the read lock of " + lock
                            + ", which no thread has: unlock it once for each time that it was locked");
            if (lastUnlocked != null) {
                tooMany.addSuppressed(lastUnlocked);
            }
            throw tooMany;
        }
        lastUnlocked = unlocked;
        Hold mine = removeMine();
        if (mine == null) {
            ended++;
        }
        if (count == ended) {
            newest = null;
            count = 0;
            ended = 0;
        }
        return mine;
    }

    /** Removes the newest hold of the current thread; null if there is none. */
    private @Nullable Hold removeMine() {
        Hold newer = null;
        for (Hold hold = newest; hold != null; hold = hold.older) {
            if (hold.thread == Thread.currentThread()) {
                if (newer == null) {
                    newest = hold.older;
                } else {
                    newer.older = hold.older;
                }
                count--;
                return hold;
            }
            newer = hold;
        }
        return null;
    }

    /**
     * Checks that the current thread would not wait for itself.
     *
     * @param use what it does, for the message
     * @throws IllegalStateException if it has the read lock for sure
     */
    synchronized void checkNoneOfMine(String use) {
        Hold mine = null;
        int holds = 0;
        for (Hold hold = newest; hold != null; hold = hold.older) {
            if (hold.thread == Thread.currentThread()) {
                mine = hold;
                holds++;
            }
        }
        if (mine != null && holds > ended) {
            IllegalStateException nested =
                    new IllegalStateException(Reports.describe(mine.thread) + " has the read lock of " + lock
                            + " and " + use
                            + ", so it may wait for itself for ever: unlock the read lock first, or use tryLock()");
            nested.addSuppressed(mine.locked);
            throw nested;
        }
    }
}

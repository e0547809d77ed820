package dev.percpu.concurrent;

import dev.percpu.internal.guard.Reports;
import org.jspecify.annotations.Nullable;

/**
 * Which threads have a read lock, and where they locked it, in checked mode.
 *
 * <p>A thread may unlock a read lock that another thread has locked. Then nobody can say whose hold has ended, so it is
 * only counted that one has. A thread certainly has a hold if it has more of them than have ended in this way. Once all
 * holds have ended, they are forgotten.
 */
final class ReadHolds {
    private final String lock;
    private @Nullable Hold newest;
    private int count;

    /**
     * How many of these holds were ended by threads that had none. It can become negative: a thread that ended a
     * hold may put it back after the holds were forgotten. Then the lock is locked so many times more than there are
     * holds here.
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

    /** Creates a hold of the current thread. This is done before the thread locks, as it can fail. */
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
     * @return the current thread's hold; null if it had none, and so ended another thread's
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

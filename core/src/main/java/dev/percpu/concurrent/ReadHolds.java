package dev.percpu.concurrent;

import dev.percpu.internal.guard.Reports;
import org.jspecify.annotations.Nullable;

/**
 * Which threads have a read lock, and where they locked it, in checked mode.
 *
 * <p>A thread may unlock a read lock that another thread has locked. Then nobody can say whose hold has ended, so it is
 * only counted that one has. A thread certainly has a hold if it has more of them than have ended in this way. Once all
 * holds have ended, they are forgotten. If that never happens, since some thread always has the lock, what is kept does
 * not grow with the locks: there is one object for each thread, and none for a thread that has ended and whose holds
 * may all have been ended by others.
 */
final class ReadHolds {
    /** More threads would make a message that nobody reads to the end. */
    private static final int MOST_NAMED = 8;

    private final String lock;
    private @Nullable Hold newest;
    private long count;

    /**
     * How many of these holds were ended by threads that had none. It can become negative: a thread that ended a
     * hold may put it back after the holds were forgotten. Then the lock is locked so many times more than there are
     * holds here.
     */
    private long ended;

    private @Nullable Throwable lastUnlocked;

    ReadHolds(String lock) {
        this.lock = lock;
    }

    /** The holds of one thread. */
    static final class Hold {
        private final Thread thread = Thread.currentThread();
        private Throwable lastLocked = new Throwable("read lock locked here by " + Reports.describe(thread));
        private long count;
        private @Nullable Hold older;
    }

    /** Creates a hold of the current thread. This is done before the thread locks, as it can fail. */
    static Hold prepare() {
        return new Hold();
    }

    synchronized void add(Hold hold) {
        Hold mine = find(hold.thread);
        if (mine == null) {
            mine = hold;
            // A hold that is put back after all were forgotten may still have a count.
            mine.count = 0;
            mine.older = newest;
            newest = mine;
        }
        mine.lastLocked = hold.lastLocked;
        mine.count++;
        count++;
    }

    private @Nullable Hold find(Thread thread) {
        Hold hold = newest;
        while (hold != null && hold.thread != thread) {
            hold = hold.older;
        }
        return hold;
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
        Hold mine = find(Thread.currentThread());
        if (mine == null) {
            ended++;
        } else {
            mine.count--;
            count--;
        }
        dropOld();
        if (count == ended) {
            newest = null;
            count = 0;
            ended = 0;
        }
        return mine;
    }

    /** Drops threads without holds, and those that have ended and may have none. */
    private void dropOld() {
        Hold kept = null;
        for (Hold hold = newest; hold != null; hold = hold.older) {
            if (hold.count > 0 && (hold.count > ended || hold.thread.isAlive())) {
                kept = hold;
            } else if (kept == null) {
                newest = hold.older;
            } else {
                kept.older = hold.older;
            }
        }
    }

    /** Who has the read lock, as far as that is known, for messages; empty if nothing is known. */
    synchronized String describe() {
        StringBuilder text = new StringBuilder();
        int named = 0;
        Hold hold = newest;
        for (; hold != null && named < MOST_NAMED; hold = hold.older, named++) {
            text.append(named == 0 ? "" : "; ").append(Reports.describe(hold.thread));
            if (hold.count > 1) {
                text.append(", ").append(hold.count).append(" times");
            }
            text.append(placeOf(hold.lastLocked));
        }
        if (hold != null) {
            text.append("; and others");
        }
        if (ended > 0) {
            text.append(named == 0 ? "" : "; ").append(ended).append(" of all holds were ended by other threads");
        }
        return text.toString();
    }

    /** Where the caller of the lock was; empty if that is not known. */
    private static String placeOf(Throwable locked) {
        for (StackTraceElement frame : locked.getStackTrace()) {
            String name = frame.getClassName();
            if (!name.startsWith(ReadHolds.class.getName()) && !name.equals(ReadLock.class.getName())) {
                return ", in " + name + "." + frame.getMethodName() + "(" + frame.getFileName() + ":"
                        + frame.getLineNumber() + ")";
            }
        }
        return "";
    }

    /**
     * Checks that the current thread would not wait for itself.
     *
     * @param use what it does, for the message
     * @throws IllegalStateException if it has the read lock for sure
     */
    synchronized void checkNoneOfMine(String use) {
        Hold mine = find(Thread.currentThread());
        if (mine != null && mine.count > ended) {
            IllegalStateException nested =
                    new IllegalStateException(Reports.describe(mine.thread) + " has the read lock of " + lock
                            + " and " + use
                            + ", so it may wait for itself for ever: unlock the read lock first, or use tryLock()");
            nested.addSuppressed(mine.lastLocked);
            throw nested;
        }
    }
}

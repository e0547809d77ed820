package dev.percpu.concurrent;

import dev.percpu.internal.guard.Reports;
import dev.percpu.internal.jfr.Recording;
import org.jspecify.annotations.Nullable;

/**
 * Reports threads that wait for seconds, for a read-write lock or for an object of a pool. Without a report, a thread
 * that has the read lock and locks it again would hang, and nothing would tell why. However many threads wait, one is
 * reported, and one again after a minute. The caller's mutex guards all fields.
 */
final class LongWaitReports {
    private boolean reported;
    private long reportedAt;

    /** How long a thread that has waited for so long may wait at most before it asks {@link #isNews}. */
    static long untilReport(long waited) {
        return waited < Reports.LONG_NANOS ? Reports.LONG_NANOS - waited : Reports.REPEAT_NANOS;
    }

    /** Whether to report a thread that has waited for this long. If so, it counts as reported. */
    boolean isNews(long waited) {
        if (waited < Reports.LONG_NANOS) {
            return false;
        }
        long now = System.nanoTime();
        if (reported && now - reportedAt < Reports.REPEAT_NANOS) {
            return false;
        }
        reported = true;
        reportedAt = now;
        return true;
    }

    /**
     * Reports that the current thread waits for a lock. To be called without the mutex, as it may start another thread.
     * It never throws: an error must not end the wait.
     *
     * @param side the side of the lock that it waits for: "read" or "write"
     * @param writer the thread that has shut the door, which may be the current one
     * @param ended whether that thread has ended, and so never opens it
     * @param readers how many it waits for; negative if that is not known, 0 if it is alone inside
     * @param holds who they are, in checked mode; otherwise null
     */
    static void report(
            String side,
            String lock,
            long waited,
            Thread writer,
            boolean ended,
            long readers,
            @Nullable ReadHolds holds) {
        try {
            String names = holds == null ? "" : holds.describe();
            String who = names.isEmpty() ? "" : ": " + names;
            Reports.longWait(waited, "the " + side + " lock of " + lock, reason(writer, ended, readers, who));
        } catch (Throwable e) {
            Reports.lost();
        }
    }

    /**
     * Reports that the current thread waits for an object of a pool. To be called without the pool's lock. It never
     * throws: an error must not end the wait.
     *
     * @param pool the pool's name, for messages
     * @param capacity how many objects the pool has at most
     * @param held how many of them are held, being made or being destroyed
     * @param waiting how many threads wait
     * @param guard the CPU on whose stack idle objects lie, if another thread has its guard; otherwise negative
     */
    static void report(String pool, int capacity, long held, int waiting, long waited, int guard) {
        try {
            Recording.poolAwaitedLong(pool, capacity, held, waiting, waited);
            String reason = guard < 0
                    ? "; those that are not released never come back, and -Dpercpu.checked=true finds lost handles"
                    : ", and " + Reports.describeOwner(guard) + " has the guard of CPU " + guard
                            + ", where idle ones lie; a thread must not block while holding a guard";
            Reports.longWait(
                    waited,
                    "an object of " + pool + " (capacity " + capacity + ")",
                    held + (held == 1 ? " object is" : " objects are") + " held, being made or being destroyed, "
                            + waiting + (waiting == 1 ? " thread waits" : " threads wait") + reason);
        } catch (Throwable e) {
            Reports.lost();
        }
    }

    private static String reason(Thread writer, boolean ended, long readers, String who) {
        if (writer == Thread.currentThread()) {
            return count(readers) + (readers == 1 ? " is" : " are") + " inside" + who
                    + "; a thread that has the read lock must not lock the write lock";
        }
        if (readers == 0) {
            return Reports.describe(writer)
                    + (ended
                            ? " ended without unlocking the write lock, so no thread gets it any more"
                            : " has the write lock");
        }
        return Reports.describe(writer) + " waits in front of it for " + count(readers) + " to leave" + who
                + "; a thread that has the read lock must not lock it again";
    }

    private static String count(long readers) {
        if (readers < 0) {
            return "some readers";
        }
        return readers == 1 ? "1 reader" : readers + " readers";
    }
}

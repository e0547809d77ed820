package dev.percpu.concurrent;

import dev.percpu.internal.failure.Reporter;
import dev.percpu.internal.guard.Reports;
import org.jspecify.annotations.Nullable;

/**
 * Reports threads that wait for a read-write lock for seconds. Without a report, a thread that has the read lock and
 * locks it again would hang, and nothing would tell why. However many threads wait, one is reported, and one again
 * after a minute. All fields are guarded by the door's mutex.
 */
final class LongWaits {
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
     * Reports that the current thread waits. To be called without the mutex, as it may start the reporting thread.
     *
     * @param side the side of the lock that it waits for: "read" or "write"
     * @param writer the thread that has shut the door, which may be the current one
     * @param readers how many it waits for; negative if that is not known, 0 if it is alone inside
     * @param holds who they are, in checked mode; otherwise null
     */
    static void report(String side, String lock, long waited, Thread writer, long readers, @Nullable ReadHolds holds) {
        try {
            String names = holds == null ? "" : holds.describe();
            String who = names.isEmpty() ? "" : ": " + names;
            Reports.longWait(waited, side + " lock of " + lock, reason(writer, readers, who));
        } catch (VirtualMachineError e) {
            Reporter.countLost();
        }
    }

    private static String reason(Thread writer, long readers, String who) {
        if (writer == Thread.currentThread()) {
            return count(readers) + (readers == 1 ? " is" : " are") + " inside" + who
                    + "; a thread that has the read lock must not lock the write lock";
        }
        if (readers == 0) {
            return Reports.describe(writer) + " has the write lock";
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

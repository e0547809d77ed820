package dev.percpu.internal.guard;

import java.lang.System.Logger;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that makes reports. Loggers are the user's code: they can wait for the guard that the report is about,
 * throw, or never return. None of that reaches the thread that has something to report.
 *
 * <p>Reports wait in a queue of fixed size. One that finds the queue full, that cannot be made or that throws is
 * counted as lost, and the next report that works says how many were. The thread ends when there has been nothing
 * to report for a while, so that it doesn't keep the library's class loader alive, and is started again when it
 * is needed.
 */
final class Reporter {
    static final String LOGGER = "dev.percpu";

    private static final int CAPACITY = 1024;
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** At the limit of threads, a try for each report would only cost time. */
    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Guards all fields. Nothing is called under it that is the user's. */
    private static final Object LOCK = new Object();

    private static final Queue<Runnable> QUEUE = new ArrayDeque<>(CAPACITY);
    private static long lost;
    private static @Nullable Thread thread;
    private static long startFailedAt;
    private static boolean startFailed;

    private Reporter() {}

    /** Queues a report. It is lost, and counted, if anything goes wrong; the caller goes on in any case. */
    static void queue(Runnable report) {
        synchronized (LOCK) {
            if (QUEUE.size() < CAPACITY) {
                QUEUE.add(report);
            } else {
                lost++;
            }
            startIfNeeded();
            LOCK.notifyAll();
        }
    }

    /** A report could not be queued. */
    static void countLost() {
        synchronized (LOCK) {
            lost++;
        }
    }

    /** Starts the thread, for who may soon have something to report. */
    static void prepare() {
        synchronized (LOCK) {
            startIfNeeded();
        }
    }

    private static void startIfNeeded() {
        if (thread != null && thread.isAlive()) {
            return;
        }
        if (startFailed && System.nanoTime() - startFailedAt < RETRY_NANOS) {
            return;
        }
        startFailed = true;
        startFailedAt = System.nanoTime();
        try {
            // Without the starter's thread locals, it has the system's class loader for its context too.
            thread = Thread.ofPlatform()
                    .daemon()
                    .name("percpu-reporter")
                    .inheritInheritableThreadLocals(false)
                    .start(Reporter::makeReports);
            startFailed = false;
        } catch (OutOfMemoryError e) {
            // No thread, or no memory. The reports stay in the queue until a later caller can start it.
            thread = null;
        }
    }

    private static void makeReports() {
        boolean idle = false;
        while (!idle) {
            try {
                Runnable report = next();
                if (report == null) {
                    idle = true;
                } else {
                    report.run();
                    reportLost();
                }
            } catch (Throwable t) {
                // Whatever it is: a thread that ended here would never report anything again.
                countLost();
            }
        }
    }

    /** Waits for a report; null if none came for long. Then this thread is no longer the one that makes reports. */
    private static @Nullable Runnable next() {
        synchronized (LOCK) {
            long start = System.nanoTime();
            while (QUEUE.isEmpty()) {
                long left = IDLE_NANOS - (System.nanoTime() - start);
                if (left <= 0) {
                    thread = null;
                    return null;
                }
                try {
                    TimeUnit.NANOSECONDS.timedWait(LOCK, left);
                } catch (InterruptedException e) {
                    // A logger's doing. This thread has nothing to be interrupted in, so it waits on.
                }
            }
            return QUEUE.poll();
        }
    }

    private static void reportLost() {
        long count;
        synchronized (LOCK) {
            count = lost;
            lost = 0;
        }
        if (count == 0) {
            return;
        }
        boolean told = false;
        try {
            System.getLogger(LOGGER)
                    .log(
                            Logger.Level.WARNING,
                            "{0} reports before this were lost: there were too many, memory or threads ran out, or the"
                                    + " logger threw",
                            count);
            told = true;
        } finally {
            if (!told) {
                synchronized (LOCK) {
                    lost += count;
                }
            }
        }
    }
}

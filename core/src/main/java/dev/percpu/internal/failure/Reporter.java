package dev.percpu.internal.failure;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that makes reports. Loggers are the user's code: they can wait for the guard that the report is about,
 * throw, or never return. None of that affects the thread that has something to report.
 *
 * <p>Reports wait in a queue of fixed size. A report is counted as lost if the queue is full, if the report cannot be
 * made, or if it throws. The next report that works says how many were lost. The thread ends when there has been
 * nothing to report for a while, so that it doesn't keep the library's class loader alive. It is started again
 * when needed.
 *
 * <p>It is a daemon thread, as a logger may never return. But a program that ends now should still report. So a second
 * thread, which is not a daemon thread, keeps the JVM from ending until all reports are made, for some seconds at most.
 */
public final class Reporter {
    /** Linked before a thread first waits for a guard, as the heap may be full then. */
    private static final Runnable LOOP = Reporter::makeReports;

    private static final Runnable WAIT = Reporter::awaitReports;

    private static final int CAPACITY = 1024;
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** How long after the last report was queued the JVM can be kept from ending. */
    private static final long LONGEST_END_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** When no more threads can be started, trying again for each report would only waste time. */
    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Guards all fields. No code of the user's is called while it is held. */
    private static final Object LOCK = new Object();

    private static final Queue<Runnable> QUEUE = new ArrayDeque<>(CAPACITY);
    private static long lastQueued;
    private static long lost;
    private static @Nullable Thread thread;

    /** Whether that thread makes a report. */
    private static boolean reporting;

    /** Keeps the JVM from ending. */
    private static @Nullable Thread waiting;

    private static long startFailedAt;
    private static boolean startFailed;

    private Reporter() {}

    /** Queues a report. If anything goes wrong, the report is counted as lost, and the caller continues. */
    public static void queue(Runnable report) {
        synchronized (LOCK) {
            if (QUEUE.size() < CAPACITY) {
                QUEUE.add(report);
            } else {
                lost++;
            }
            lastQueued = System.nanoTime();
            startIfNeeded();
            LOCK.notifyAll();
            // Last, as it takes the most stack.
            keepFromEnding();
        }
    }

    /** Counts a report that could not be queued. */
    public static void countLost() {
        synchronized (LOCK) {
            lost++;
        }
    }

    /** Starts the thread, for a caller that may soon have something to report. */
    public static void prepare() {
        synchronized (LOCK) {
            startIfNeeded();
        }
    }

    private static void startIfNeeded() {
        if (thread != null && thread.isAlive()) {
            return;
        }
        // If none can be started, the reports stay in the queue until a later caller starts it.
        thread = start("percpu-reporter", true, LOOP);
    }

    /** If no thread can be started for that, a program that ends now may lose its last reports. */
    private static void keepFromEnding() {
        if (thread != null && (waiting == null || !waiting.isAlive())) {
            waiting = start("percpu-last-reports", false, WAIT);
        }
    }

    /** Null if no thread can be started, or memory or the stack has run out. */
    private static @Nullable Thread start(String name, boolean isDaemon, Runnable task) {
        if (startFailed && System.nanoTime() - startFailedAt < RETRY_NANOS) {
            return null;
        }
        startFailed = true;
        startFailedAt = System.nanoTime();
        try {
            // The thread does not inherit the starter's thread locals. So its context class loader is the system's.
            Thread started = Thread.ofPlatform()
                    .daemon(isDaemon)
                    .group(RootGroup.get())
                    .name(name)
                    .inheritInheritableThreadLocals(false)
                    .start(task);
            startFailed = false;
            return started;
        } catch (OutOfMemoryError | StackOverflowError e) {
            return null;
        }
    }

    private static void awaitReports() {
        synchronized (LOCK) {
            long left = LONGEST_END_NANOS;
            while (left > 0 && (reporting || !QUEUE.isEmpty())) {
                waitFor(left);
                left = LONGEST_END_NANOS - (System.nanoTime() - lastQueued);
            }
            waiting = null;
        }
    }

    private static void waitFor(long nanos) {
        try {
            TimeUnit.NANOSECONDS.timedWait(LOCK, nanos);
        } catch (InterruptedException e) {
            // A logger must have interrupted this thread. There is nothing here to interrupt, so it keeps waiting.
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
                // Catch everything: if this thread ended here, the reports in the queue would wait there until
                // somebody queued another one.
                countLost();
            }
        }
    }

    /** Waits for a report; null if none came for a long time. Then this thread is no longer the reporter. */
    private static @Nullable Runnable next() {
        synchronized (LOCK) {
            reporting = false;
            LOCK.notifyAll();
            long start = System.nanoTime();
            while (QUEUE.isEmpty()) {
                long left = IDLE_NANOS - (System.nanoTime() - start);
                if (left <= 0) {
                    thread = null;
                    return null;
                }
                waitFor(left);
            }
            reporting = true;
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
            Log.warn(
                    "reports that were lost before this one: {0}; there were too many, memory or threads ran out, or"
                            + " the logger threw",
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

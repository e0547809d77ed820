package dev.percpu.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;

/**
 * Runs a task in several threads at a time, and fails if any of them does, or if one is not done in the test's time.
 */
public final class Workers {
    private static volatile BooleanSupplier begin = () -> true;

    private Workers() {}

    /** Has threads that are started from now on wait for something before they begin with their tasks. */
    static void beginWhen(BooleanSupplier condition) {
        begin = condition;
    }

    /** Runs the task in platform threads whose names begin with {@code prefix}; the task gets its number. */
    public static void run(String prefix, int threads, IntConsumer task) throws InterruptedException {
        run(Thread.ofPlatform().name(prefix, 0).factory(), threads, task);
    }

    /** Runs the task in virtual threads. */
    public static void runVirtual(int threads, IntConsumer task) throws InterruptedException {
        run(Thread.ofVirtual().factory(), threads, task);
    }

    /**
     * What the threads whose numbers are below {@code count} do once, while the others do something else again and
     * again, until all of those are done. A thread that fails is done, too: otherwise the others would go on until the
     * test's time is up, and nobody would see the failure.
     */
    public static IntConsumer untilDone(int count, IntConsumer task, Runnable meanwhile) {
        AtomicInteger working = new AtomicInteger(count);
        return number -> {
            if (number < count) {
                try {
                    task.accept(number);
                } finally {
                    working.decrementAndGet();
                }
            } else {
                while (working.get() > 0) {
                    meanwhile.run();
                }
            }
        };
    }

    private static void run(ThreadFactory factory, int count, IntConsumer task) throws InterruptedException {
        CountDownLatch start = new CountDownLatch(1);
        List<Throwable> failures = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int number = i;
            Thread thread = factory.newThread(() -> {
                try {
                    start.await();
                    task.accept(number);
                } catch (Throwable t) {
                    synchronized (failures) {
                        failures.add(t);
                    }
                }
            });
            thread.start();
            threads.add(thread);
        }
        while (!begin.getAsBoolean()) {
            Thread.sleep(1);
        }
        start.countDown();
        join(threads);
        if (!failures.isEmpty()) {
            AssertionError error = new AssertionError(failures.size() + " of " + count + " threads failed");
            failures.forEach(error::addSuppressed);
            throw error;
        }
    }

    /** {@link #join(List)}. */
    public static void join(Thread... threads) {
        join(List.of(threads));
    }

    /**
     * Waits for the threads' end. A thread whose wake-up was lost never ends; then this ends with the test's time, when
     * JUnit interrupts it, and fails.
     */
    public static void join(List<Thread> threads) {
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException timeIsUp) {
            throw stuck(threads, timeIsUp);
        }
    }

    /** Waits until the threads have counted the latch down; like {@link #join(List)}. */
    public static void await(CountDownLatch latch, Thread... threads) {
        try {
            latch.await();
        } catch (InterruptedException timeIsUp) {
            throw stuck(List.of(threads), timeIsUp);
        }
    }

    /**
     * Waits until the thread, which was started, waits for something up to a time limit. Like {@link #join(List)}. And
     * it fails if the thread ends instead.
     */
    public static void awaitTimedWait(Thread thread) {
        try {
            while (thread.getState() != Thread.State.TIMED_WAITING) {
                if (!thread.isAlive()) {
                    throw new AssertionError(thread + " should wait, and has ended");
                }
                Thread.sleep(1);
            }
        } catch (InterruptedException timeIsUp) {
            throw stuck(List.of(thread), timeIsUp);
        }
    }

    /** Says where each thread is that has not ended, and interrupts it, so that it does not disturb the next test. */
    private static AssertionError stuck(List<Thread> threads, InterruptedException timeIsUp) {
        List<Thread> alive = threads.stream().filter(Thread::isAlive).toList();
        AssertionError error = new AssertionError(
                "the test's time is up, and " + alive.size() + " of " + threads.size() + " threads are not done",
                timeIsUp);
        for (Thread thread : alive) {
            Throwable where = new Throwable(thread + " is " + thread.getState());
            where.setStackTrace(thread.getStackTrace());
            error.addSuppressed(where);
            thread.interrupt();
        }
        return error;
    }
}

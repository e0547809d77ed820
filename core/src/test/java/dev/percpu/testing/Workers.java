package dev.percpu.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.function.IntConsumer;

/** Runs a task in several threads at a time and fails if any of them does. */
public final class Workers {
    private Workers() {}

    /** Runs the task in platform threads whose names begin with {@code prefix}; the task gets its number. */
    public static void run(String prefix, int threads, IntConsumer task) throws InterruptedException {
        run(Thread.ofPlatform().name(prefix, 0).factory(), threads, task);
    }

    /** Runs the task in virtual threads. */
    public static void runVirtual(int threads, IntConsumer task) throws InterruptedException {
        run(Thread.ofVirtual().factory(), threads, task);
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
        start.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
        if (!failures.isEmpty()) {
            AssertionError error = new AssertionError(failures.size() + " of " + count + " threads failed");
            failures.forEach(error::addSuppressed);
            throw error;
        }
    }
}

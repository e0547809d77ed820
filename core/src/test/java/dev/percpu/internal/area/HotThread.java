package dev.percpu.internal.area;

import dev.percpu.testing.Workers;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongConsumer;

/** Threads that have a place of their own, for tests. */
public final class HotThread {
    /** After a million in vain, a thread tries again. */
    private static final int CALLS = 3_000_000;

    private static final int THREADS = 20;

    /** Where no place begins. */
    public static final long NO_PLACE = 0;

    private HotThread() {}

    /** Makes the current thread hot; its place, or {@link #NO_PLACE} if it got none. */
    public static long tryGetPlace() {
        for (int calls = 0; calls < CALLS && !OwnPlaces.hasMine(); calls++) {
            OwnPlaces.missed();
        }
        return myPlace();
    }

    /** The current thread's place; {@link #NO_PLACE} if it has none. */
    public static long myPlace() {
        return OwnPlaces.hasMine() ? OwnPlaces.mine() : NO_PLACE;
    }

    /**
     * Runs a task in a thread that has a place, which the task gets. A thread gets none if the lowest bits of its id
     * are those of another owner's, such as the one that runs all tests. Then the next thread is tried.
     */
    public static void run(LongConsumer task) throws InterruptedException {
        AtomicBoolean had = new AtomicBoolean();
        for (int i = 0; i < THREADS && !had.get(); i++) {
            Workers.run("hot-", 1, _ -> {
                long place = tryGetPlace();
                if (place != NO_PLACE) {
                    had.set(true);
                    task.accept(place);
                }
            });
        }
        if (!had.get()) {
            throw new AssertionError("none of " + THREADS + " threads got a place");
        }
    }

    /** Runs a task while other threads have all places. */
    public static void runWithoutAPlaceLeft(Runnable task) throws InterruptedException {
        CountDownLatch taken = new CountDownLatch(OwnPlaces.COUNT);
        CountDownLatch end = new CountDownLatch(1);
        for (int i = 0; i < OwnPlaces.COUNT; i++) {
            new Thread(() -> {
                        // One after the other: a thread does not wait while another one gets a place.
                        synchronized (taken) {
                            tryGetPlace();
                        }
                        taken.countDown();
                        Workers.await(end);
                    })
                    .start();
        }
        taken.await();
        try {
            task.run();
        } finally {
            end.countDown();
        }
    }
}

package dev.percpu.benchmarks;

import java.util.function.LongSupplier;

/**
 * Checks that a counter counts every update, for the tear-down of the benchmarks.
 *
 * <p>The measured calls themselves are not counted. A count of them would be one more load, add and store for each,
 * about as much as what is measured. So the tear-down makes calls of its own, through the code that the measurement has
 * compiled, and with more threads than are measured, so that the scheduler preempts and moves them.
 */
final class Exactness {
    private static final int THREADS = 4;
    private static final int CALLS = 100_000;

    private Exactness() {}

    /**
     * Calls {@code increment} from several threads at a time.
     *
     * @param total the counter's total, before and after; its lowest 32 bits count, where the narrowest counter wraps
     * @throws IllegalStateException if the total did not rise by 1 for each call
     */
    static void check(String name, Runnable increment, LongSupplier total) throws InterruptedException {
        long before = total.getAsLong();
        Thread[] threads = new Thread[THREADS];
        for (int i = 0; i < THREADS; i++) {
            threads[i] = Thread.ofPlatform().start(() -> {
                for (int call = 0; call < CALLS; call++) {
                    increment.run();
                }
            });
        }
        for (Thread thread : threads) {
            thread.join();
        }
        int counted = (int) (total.getAsLong() - before);
        if (counted != THREADS * CALLS) {
            throw new IllegalStateException(name + " counted " + counted + " of " + THREADS * CALLS + " calls");
        }
    }
}

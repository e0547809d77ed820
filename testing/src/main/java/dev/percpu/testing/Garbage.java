package dev.percpu.testing;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Collects garbage for a test that waits for what follows from it, or that measures what is left. */
public final class Garbage {
    private static final long SHORTEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(1);

    private Garbage() {}

    /** Collects garbage until something has come of it. If it never does, this ends with the test's time. */
    public static void collectUntil(BooleanSupplier done) throws InterruptedException {
        while (!done.getAsBoolean()) {
            long begin = System.nanoTime();
            System.gc();
            // Threads that handle references stand still while the collector runs. So they get as much time as it took,
            // or else they would hardly get on in an emulated machine.
            long end = System.nanoTime();
            long pause = Math.max(SHORTEST_PAUSE, end - begin);
            while (System.nanoTime() - end < pause && !done.getAsBoolean()) {
                Thread.sleep(1);
            }
        }
    }

    /** How much of the heap is in use, without garbage. */
    public static long heapBytes() {
        long least = Long.MAX_VALUE;
        long used = heapBytesOnce();
        // What one collection makes unreachable, such as finished cleaners and threads, a later one takes.
        while (used < least) {
            least = used;
            used = heapBytesOnce();
        }
        return least;
    }

    private static long heapBytesOnce() {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}

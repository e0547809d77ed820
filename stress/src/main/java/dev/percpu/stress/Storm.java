package dev.percpu.stress;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.PerCpuRuntime;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.Platform;
import dev.percpu.testing.CLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * What happens to the whole process while it runs: sequences are restarted on all CPUs, the heap is collected, all
 * threads are stopped at safepoints, and a timer sends signals as profilers have it.
 */
final class Storm implements AutoCloseable {
    private static final int ITIMER_PROF = 2;
    private static final long TIMER_MICROS = 1000;

    /** With more in a row, threads that never get through a delayed sequence would hold everybody up. */
    private static final int MOST_RESTARTS = 200;

    private static final long LONGEST_PAUSE_BETWEEN_RESTARTS = TimeUnit.MICROSECONDS.toNanos(500);
    private static final long LONGEST_PAUSE_BETWEEN_DUMPS = TimeUnit.MILLISECONDS.toNanos(20);

    /** One dump in so many is followed by a collection. */
    private static final int COLLECTIONS = 32;

    private final List<Thread> threads = new ArrayList<>();
    private final LongAdder restarts = new LongAdder();
    private final LongAdder collections = new LongAdder();
    private final LongAdder dumps = new LongAdder();
    private volatile @Nullable Throwable failure;
    private volatile boolean stopped;

    private Storm() {}

    static Storm start(long seed) {
        Storm storm = new Storm();
        if (PerCpuRuntime.backend().equals("rseq")) {
            storm.start("storm-restarts", () -> storm.restart(new Random(seed)));
        }
        storm.start("storm-safepoints", () -> storm.collect(new Random(seed)));
        if (Platform.hasSystemCalls()) {
            setTimer(TIMER_MICROS);
        }
        return storm;
    }

    /**
     * Ends it.
     *
     * @throws AssertionError if a part of it failed
     */
    void stop() throws InterruptedException {
        close();
        for (Thread thread : threads) {
            thread.join();
        }
        if (failure != null) {
            throw new AssertionError("the storm failed", failure);
        }
    }

    /** How often all CPUs' sequences were restarted so far. */
    long restarts() {
        return restarts.sum();
    }

    /** How often the heap was collected so far. */
    long collections() {
        return collections.sum();
    }

    /** How often all threads were stopped for their stack traces so far. */
    long dumps() {
        return dumps.sum();
    }

    @Override
    public void close() {
        stopped = true;
        if (Platform.hasSystemCalls()) {
            setTimer(0);
        }
    }

    private void start(String name, Runnable task) {
        threads.add(Thread.ofPlatform().name(name).daemon().start(() -> {
            try {
                task.run();
            } catch (Throwable t) {
                failure = t;
            }
        }));
    }

    private void restart(Random random) {
        while (!stopped) {
            for (int i = random.nextInt(MOST_RESTARTS); i >= 0; i--) {
                Linux.restartSequencesEverywhere();
                restarts.increment();
            }
            LockSupport.parkNanos(random.nextLong(LONGEST_PAUSE_BETWEEN_RESTARTS));
        }
    }

    private void collect(Random random) {
        while (!stopped) {
            var _ = Thread.getAllStackTraces();
            dumps.increment();
            if (random.nextInt(COLLECTIONS) == 0) {
                System.gc();
                collections.increment();
            }
            LockSupport.parkNanos(random.nextLong(LONGEST_PAUSE_BETWEEN_DUMPS));
        }
    }

    /** Of processor time that the process has used: the thread that used it gets the signal. */
    private static void setTimer(long micros) {
        MethodHandle setitimer =
                CLibrary.function("setitimer", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            // struct itimerval: seconds and microseconds of the interval, and of the first time.
            MemorySegment times = arena.allocate(4 * JAVA_LONG.byteSize(), JAVA_LONG.byteAlignment());
            times.setAtIndex(JAVA_LONG, 1, micros);
            times.setAtIndex(JAVA_LONG, 3, micros);
            int result = (int) setitimer.invokeExact(ITIMER_PROF, times, MemorySegment.NULL);
            if (result != 0) {
                throw new IllegalStateException("setitimer failed");
            }
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}

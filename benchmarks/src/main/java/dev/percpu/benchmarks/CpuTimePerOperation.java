package dev.percpu.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import dev.percpu.benchmarks.measure.Curve;
import dev.percpu.benchmarks.measure.Role;
import dev.percpu.benchmarks.measure.Spread;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongConsumer;

/**
 * How much processor time does one operation take when there are far more threads than CPUs?
 *
 * <p>JMH measures the time that passes, and 64 threads on two CPUs spend most of it waiting for their turn. What tells
 * whether a structure suffers from many threads is the time the process had on processors, as the kernel accounts it:
 * all threads together make a fixed number of operations, and the process's CPU time before and after is compared. It
 * counts everything, so also what starting threads, switching between them and spinning costs.
 *
 * <p>The kernel accounts in ticks of a hundredth of a second, so a round has as many operations as take half a second;
 * finding out how many is the warm-up. Each number of threads is measured several times, and the median counts.
 */
final class CpuTimePerOperation {
    private static final OperatingSystemMXBean PROCESS =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private static final long FEWEST_OPERATIONS = 1_000_000;
    private static final long LEAST_NANOS = 500_000_000;
    private static final int ROUNDS = 3;

    /** Virtual threads take turns after so many operations. */
    private static final int TURN = 2_000;

    private CpuTimePerOperation() {}

    /**
     * What is measured. The loop is the implementor's, so that the JIT compiler sees what it repeats, whatever else was
     * measured before.
     */
    @FunctionalInterface
    interface Operation {
        /** Does it so many times. */
        void repeat(int times) throws InterruptedException;
    }

    /** So many threads for each CPU, and very many virtual ones. */
    private static final List<Integer> THREADS_FOR_EACH_CPU = List.of(1, 2, 4, 8, 16);

    private static final int VIRTUAL_THREADS = 10_000;

    /**
     * Measures an operation with few threads, with more, and with very many.
     *
     * @param check is told how often it was done, and throws if that has left something else behind
     */
    static Curve curve(Role.Kind role, String label, Operation measured, LongConsumer check)
            throws InterruptedException {
        LongAdder done = new LongAdder();
        // Once for very many of them.
        Operation operation = times -> {
            measured.repeat(times);
            done.add(times);
        };
        SequencedMap<String, Spread> nanos = new LinkedHashMap<>();
        for (int threads : THREADS_FOR_EACH_CPU) {
            nanos.put(
                    Integer.toString(threads),
                    nanos(operation, threads * Runtime.getRuntime().availableProcessors(), false));
        }
        nanos.put(String.format(Locale.ROOT, "%,d virtual", VIRTUAL_THREADS), nanos(operation, VIRTUAL_THREADS, true));
        check.accept(done.sum());
        return new Curve(ManyThreads.CHART, "ns of CPU time", "threads for each CPU", role, label, nanos);
    }

    /** The CPU time of the whole process for each operation, in nanoseconds. */
    private static Spread nanos(Operation operation, int threads, boolean virtual) throws InterruptedException {
        long operations = FEWEST_OPERATIONS;
        while (round(operation, threads, virtual, operations) < LEAST_NANOS) {
            operations *= 2;
        }
        List<Double> measured = new ArrayList<>();
        for (int round = 0; round < ROUNDS; round++) {
            measured.add((double) round(operation, threads, virtual, operations) / operations);
        }
        return Spread.of(measured);
    }

    /** The CPU time that the operations take together. */
    private static long round(Operation operation, int threads, boolean virtual, long operations)
            throws InterruptedException {
        int each = Math.toIntExact(operations / threads);
        List<Throwable> failures = new ArrayList<>();
        CountDownLatch done = new CountDownLatch(threads);
        ThreadFactory factory = virtual
                ? Thread.ofVirtual().factory()
                : Thread.ofPlatform().daemon().factory();
        long before = PROCESS.getProcessCpuTime();
        for (int i = 0; i < threads; i++) {
            factory.newThread(() -> {
                        try {
                            repeat(operation, each);
                        } catch (Throwable t) {
                            synchronized (failures) {
                                failures.add(t);
                            }
                        } finally {
                            done.countDown();
                        }
                    })
                    .start();
        }
        done.await();
        long time = PROCESS.getProcessCpuTime() - before;
        synchronized (failures) {
            if (!failures.isEmpty()) {
                throw new IllegalStateException(failures.size() + " threads failed", failures.getFirst());
            }
        }
        return time;
    }

    @SuppressWarnings("ThreadPriorityCheck") // a virtual thread that never yields is one after the other
    private static void repeat(Operation operation, int times) throws InterruptedException {
        for (int left = times; left > 0; left -= TURN) {
            operation.repeat(Math.min(left, TURN));
            if (Thread.currentThread().isVirtual()) {
                Thread.yield();
            }
        }
    }
}

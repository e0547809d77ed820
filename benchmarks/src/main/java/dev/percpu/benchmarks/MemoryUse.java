package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.Role.Kind.OURS;
import static dev.percpu.benchmarks.Role.Kind.PEER;

import dev.percpu.PerCpuRuntime;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.cpu.CpuMask;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How much memory do so many counters take, all CPUs' places and whatever is on the heap together?
 *
 * <p>It is the difference of what is in use before and after they are made: of the heap after a collection, and of the
 * per-CPU area on each CPU. The array that holds the counters counts too. A {@link LongAdder} grows once two threads
 * update it at the same time, so there are two rows of it.
 */
final class MemoryUse {
    private static final List<Integer> COUNTERS = List.of(1_000, 10_000, 100_000);

    private static final int ADDITIONS = 2_000;

    /** What is measured is reachable from here. */
    private static volatile @Nullable Object made;

    private MemoryUse() {}

    static void print(PrintStream out) {
        print(out, OURS, "`PerCpuCounter`s", counters -> array(counters, PerCpuCounter::new));
        print(out, OURS, "a `PerCpuCounterArray`", PerCpuCounterArray::new);
        print(out, PEER, "`LongAdder`s", counters -> array(counters, LongAdder::new));
        print(out, PEER, "`LongAdder`s that two threads update", MemoryUse::contended);
        print(out, PEER, "`AtomicLong`s", counters -> array(counters, AtomicLong::new));
    }

    private static void print(PrintStream out, Role.Kind role, String label, IntFunction<?> maker) {
        SequencedMap<String, Double> bytes = new LinkedHashMap<>();
        for (int counters : COUNTERS) {
            // What is loaded and started by the first use shall not count.
            made = maker.apply(1);
            made = null;
            long before = used();
            made = maker.apply(counters);
            long taken = used() - before;
            Objects.requireNonNull(made);
            made = null;
            bytes.put(String.format("%,d", counters), (double) taken / counters);
        }
        out.println(new Curve("Memory", "bytes for each counter", "counters", role, label, bytes));
    }

    /** The heap that is in use after a collection, and the area on all CPUs. */
    private static long used() {
        long least = Long.MAX_VALUE;
        int collections = 3;
        for (int i = 0; i < collections; i++) {
            ManagementFactory.getMemoryMXBean().gc();
            least = Math.min(
                    least,
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return least
                + PerCpuRuntime.memory().usedBytesPerCpu() * CpuMask.possible().weight();
    }

    private static Object[] array(int counters, Supplier<?> maker) {
        return Stream.generate(maker).limit(counters).toArray();
    }

    private static LongAdder[] contended(int counters) {
        LongAdder[] adders = Stream.generate(LongAdder::new).limit(counters).toArray(LongAdder[]::new);
        Thread[] threads = new Thread[2];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = Thread.ofPlatform().start(() -> {
                for (LongAdder adder : adders) {
                    for (int addition = 0; addition < ADDITIONS; addition++) {
                        adder.increment();
                    }
                }
            });
        }
        for (Thread thread : threads) {
            join(thread);
        }
        return adders;
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while others were adding", e);
        }
    }
}

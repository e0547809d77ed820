package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.PerCpuRuntime;
import dev.percpu.benchmarks.measure.Child;
import dev.percpu.benchmarks.measure.Curve;
import dev.percpu.benchmarks.measure.Role;
import dev.percpu.benchmarks.measure.Spread;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.cpu.CpuMask;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * How much memory do so many counters take, all CPUs' places and whatever is on the heap together?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar --curves Memory
 * </pre>
 *
 * <p>It is the difference of what is in use before and after they are made: of the heap after a collection, and of the
 * per-CPU area on each CPU. The array that holds the counters counts too. Each is measured in a JVM of its own, in
 * which nothing else comes and goes. A {@link LongAdder} grows once two threads update it at the same time, so there
 * are two rows of it.
 */
public final class MemoryUse {
    static final String CHART = "Memory";

    private static final List<Integer> COUNTERS = List.of(100, 1_000, 10_000);

    private static final int ADDITIONS = 2_000;
    private static final int COLLECTIONS = 3;

    /** What is measured is reachable from here. */
    private static final List<Object> MADE = new ArrayList<>();

    /** What is made. */
    private enum Kind {
        PER_CPU(OURS, "`PerCpuCounter`s", counters -> array(counters, PerCpuCounter::new)),
        PER_CPU_ARRAY(OURS, "a `PerCpuCounterArray`", PerCpuCounterArray::new),
        ADDERS(PEER, "`LongAdder`s", counters -> array(counters, LongAdder::new)),
        CONTENDED_ADDERS(PEER, "`LongAdder`s that two threads update", MemoryUse::contended),
        ATOMICS(PEER, "`AtomicLong`s", counters -> array(counters, AtomicLong::new));

        private final Role.Kind role;
        private final String label;

        @SuppressWarnings("ImmutableEnumChecker") // a maker keeps nothing
        private final IntFunction<?> maker;

        Kind(Role.Kind role, String label, IntFunction<?> maker) {
            this.role = role;
            this.label = label;
            this.maker = maker;
        }
    }

    private MemoryUse() {}

    /** In a JVM of its own: prints how many bytes some counters of a kind take. */
    public static void main(String[] arguments) {
        Kind kind = Kind.valueOf(arguments[0]);
        // What is loaded and started by the first use shall not count.
        MADE.add(kind.maker.apply(1));
        MADE.add(used());
        long before = used();
        MADE.add(kind.maker.apply(Integer.parseInt(arguments[1])));
        System.out.println(used() - before);
    }

    static void print(PrintStream out) throws IOException, InterruptedException {
        for (Kind kind : Kind.values()) {
            SequencedMap<String, Spread> bytes = new LinkedHashMap<>();
            for (int counters : COUNTERS) {
                double each = (double) measured(kind, counters) / counters;
                bytes.put(String.format(Locale.ROOT, "%,d", counters), Spread.of(List.of(each)));
            }
            out.println(new Curve(CHART, "bytes for each counter", "counters", kind.role, kind.label, bytes));
        }
    }

    private static long measured(Kind kind, int counters) throws IOException, InterruptedException {
        String output = Child.java(
                List.of("-XX:+UseSerialGC"), MemoryUse.class, List.of(kind.name(), Integer.toString(counters)));
        return Long.parseLong(output.strip());
    }

    /** The heap that is in use after a collection, and the area on all CPUs. */
    private static long used() {
        for (int i = 0; i < COLLECTIONS; i++) {
            ManagementFactory.getMemoryMXBean().gc();
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed()
                + PerCpuRuntime.area().usedBytesPerCpu() * CpuMask.possible().weight();
    }

    private static Object[] array(int counters, Supplier<?> maker) {
        return Stream.generate(maker).limit(counters).toArray();
    }

    private static LongAdder[] contended(int counters) {
        LongAdder[] adders = Stream.generate(LongAdder::new).limit(counters).toArray(LongAdder[]::new);
        AtomicIntegerArray reached = new AtomicIntegerArray(2);
        Thread[] threads = new Thread[reached.length()];
        for (int i = 0; i < threads.length; i++) {
            int me = i;
            threads[i] = Thread.ofPlatform().start(() -> {
                for (int adder = 0; adder < adders.length; adder++) {
                    // Both begin with each adder at the same time.
                    reached.set(me, adder);
                    while (reached.get(1 - me) < adder) {
                        Thread.onSpinWait();
                    }
                    for (int addition = 0; addition < ADDITIONS; addition++) {
                        adders[adder].increment();
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

package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.testing.Jvm;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What 10,000 counters cost that all CPUs update, in a JVM of its own; and what adders cost that threads fight for, of
 * which it makes fewer, since contention takes its time, and which it only prints.
 */
@Tag("native")
class CounterMemoryTest {
    private static final int COUNTERS = 10_000;

    /** Makes the counters, then the adders, makes both hot, and prints what that took. */
    static final class Probe {
        private static final int ADDERS = 200;
        private static final int THREADS = 4;
        private static final int INCREMENTS = 50_000;

        private Probe() {}

        public static void main(String[] arguments) {
            // The classes are not what is measured. The first counter stays, so as not to give its place back
            // meanwhile.
            PerCpuCounter first = new PerCpuCounter();
            first.increment();
            new LongAdder().increment();
            long areaBefore = PerCpuRuntime.memory().usedBytesPerCpu();
            List<PerCpuCounter> counters = heapOf(
                    "counters",
                    COUNTERS,
                    PerCpuCounter::new,
                    hot -> CpuId.onEachCpu(cpu -> {
                        hot.forEach(PerCpuCounter::increment);
                    }));
            System.out.println("area=" + (PerCpuRuntime.memory().usedBytesPerCpu() - areaBefore));
            List<LongAdder> adders = heapOf("adders", ADDERS, LongAdder::new, Probe::contend);
            System.out.println("first=" + first.sum());
            System.out.println(
                    "sum=" + counters.stream().mapToLong(PerCpuCounter::sum).sum());
            System.out.println(
                    "sumOfAdders=" + adders.stream().mapToLong(LongAdder::sum).sum());
        }

        private static <T> List<T> heapOf(String what, int count, Supplier<T> factory, Consumer<List<T>> heat) {
            List<T> all = new ArrayList<>(count);
            long before = heapBytes();
            for (int i = 0; i < count; i++) {
                all.add(factory.get());
            }
            heat.accept(all);
            System.out.println(what + "=" + (heapBytes() - before));
            return all;
        }

        /** All threads walk through the adders at the same pace, so that they meet. */
        private static void contend(List<LongAdder> adders) {
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                threads.add(Thread.ofPlatform()
                        .start(() -> adders.forEach(adder -> {
                            for (int j = 0; j < INCREMENTS; j++) {
                                adder.increment();
                            }
                        })));
            }
            for (Thread thread : threads) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
        }

        private static long heapBytes() {
            Runtime runtime = Runtime.getRuntime();
            // What a first collection makes unreachable, such as finished cleaners, a second one takes.
            System.gc();
            System.gc();
            return runtime.totalMemory() - runtime.freeMemory();
        }
    }

    /** An adder takes 32 bytes, and when it is contended two cache lines for each CPU, and an array of them. */
    @Test
    void tenThousandHotCounters() {
        Jvm.Result result =
                new Jvm().option("-Dpercpu.backend=" + PerCpuRuntime.backend()).run(Probe.class);
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(number(result, "sum"))
                .isEqualTo((long) COUNTERS * CpuMask.usable().weight());
        assertThat(number(result, "sumOfAdders")).isEqualTo((long) Probe.ADDERS * Probe.THREADS * Probe.INCREMENTS);
        assertThat(number(result, "area") / COUNTERS).as("bytes for each CPU").isEqualTo(8);
        // 16 for the counter, the rest for what gives its memory back.
        assertThat(number(result, "counters") / COUNTERS).as("heap").isLessThanOrEqualTo(104);
    }

    private static long number(Jvm.Result result, String what) {
        Matcher matcher = Pattern.compile("(?m)^" + what + "=(-?\\d+)$").matcher(result.output());
        assertThat(matcher.find()).as(result.output()).isTrue();
        return Long.parseLong(matcher.group(1));
    }
}

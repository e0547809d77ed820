package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.AreaPages;
import dev.percpu.DetachedThreads;
import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Garbage;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Workers;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What 10,000 counters cost that all CPUs update, and what as many adders cost that threads have fought for: in a JVM
 * of its own, whose main method prints it.
 */
@Tag("native")
class CounterMemoryTest {
    private static final int COUNTERS = 10_000;
    private static final int ADDERS = Effort.scaled(10_000);

    /** The adders' cells are private. */
    private static final String OPENED = "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED";

    /**
     * By default the serial collector leaves up to a twentieth of the heap unused at its lower end, which counts
     * as used.
     */
    private static final String COMPACTED = "-XX:MarkSweepDeadRatio=0";

    /** Makes the counters, then the adders, makes both hot, and prints what that took. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] arguments) throws Exception {
            // The classes, the first page, and what each hot thread costs are not what is measured. The first counter
            // stays, so as not to give its place back meanwhile.
            PerCpuCounter first = new PerCpuCounter();
            CpuId.onEachCpu(_ -> {
                for (int i = 0; i < COUNTERS; i++) {
                    first.increment();
                }
            });
            new Fight(List.of(new LongAdder())).run();
            DetachedThreads.awaitFinalCode();
            List<PerCpuCounter> counters = new ArrayList<>(COUNTERS);
            List<LongAdder> adders = new ArrayList<>(COUNTERS);

            long usedBefore = PerCpuRuntime.area().usedBytesPerCpu();
            long residentBefore = AreaPages.residentBytes();
            long heapBefore = Garbage.heapBytes();
            for (int i = 0; i < COUNTERS; i++) {
                counters.add(new PerCpuCounter());
            }
            CpuId.onEachCpu(cpu -> counters.forEach(PerCpuCounter::increment));
            Jvm.print("counters", Garbage.heapBytes() - heapBefore);
            Jvm.print("area", PerCpuRuntime.area().usedBytesPerCpu() - usedBefore);
            Jvm.print("resident", AreaPages.residentBytes() - residentBefore);
            Jvm.print("sum", counters.stream().mapToLong(PerCpuCounter::sum).sum());

            heapBefore = Garbage.heapBytes();
            for (int i = 0; i < ADDERS; i++) {
                adders.add(new LongAdder());
            }
            Jvm.print("freshAdders", Garbage.heapBytes() - heapBefore);
            Fight fight = new Fight(adders);
            fight.run();
            Jvm.print("adders", Garbage.heapBytes() - heapBefore);
            Jvm.print("increments", fight.increments.get());
            Jvm.print("sumOfAdders", adders.stream().mapToLong(LongAdder::sum).sum());
            Jvm.print(
                    "addersWithAllCells",
                    adders.stream().filter(Fight::hasAllCells).count());
            Jvm.print("first", first.sum());
        }
    }

    /**
     * Threads that increment one adder all at a time, until it has as many cells as it will ever have; then the next.
     */
    private static final class Fight {
        private static final int INCREMENTS_BETWEEN_LOOKS = 100;

        /** With one CPU an adder hardly ever grows. */
        private static final int MOST_LOOKS = Effort.scaled(10_000);

        private final List<LongAdder> adders;
        private final AtomicInteger current = new AtomicInteger();
        private final AtomicLong increments = new AtomicLong();

        private Fight(List<LongAdder> adders) {
            this.adders = adders;
        }

        private void run() throws InterruptedException {
            Workers.run("fight-", 2 * Runtime.getRuntime().availableProcessors(), _ -> {
                for (int index; (index = current.get()) < adders.size(); current.compareAndSet(index, index + 1)) {
                    fightFor(index);
                }
            });
        }

        private void fightFor(int index) {
            LongAdder adder = adders.get(index);
            for (int look = 0; look < MOST_LOOKS && current.get() == index && !hasAllCells(adder); look++) {
                for (int i = 0; i < INCREMENTS_BETWEEN_LOOKS; i++) {
                    adder.increment();
                }
                increments.addAndGet(INCREMENTS_BETWEEN_LOOKS);
            }
        }

        /** The array of cells grows up to the number of CPUs, rounded up to a power of two. */
        private static boolean hasAllCells(LongAdder adder) {
            try {
                Field field = LongAdder.class.getSuperclass().getDeclaredField("cells");
                field.setAccessible(true);
                Object[] cells = (Object[]) field.get(adder);
                return cells != null
                        && cells.length >= Runtime.getRuntime().availableProcessors()
                        && !Arrays.asList(cells).contains(null);
            } catch (ReflectiveOperationException e) {
                throw new LinkageError("LongAdder has other fields", e);
            }
        }
    }

    @Test
    void tenThousandHotCounters() {
        Jvm.Result result = Jvm.asHere().option(OPENED).option(COMPACTED).run(Probe.class);
        assertThat(result.status()).as(result.output()).isZero();
        int cpus = CpuMask.usable().weight();
        long page = 4096;
        assertThat(result.number("sum")).isEqualTo((long) COUNTERS * cpus);
        assertThat(result.number("sumOfAdders")).isEqualTo(result.number("increments"));
        assertThat(result.number("area") / COUNTERS).as("bytes for each CPU").isEqualTo(8);
        assertThat(result.number("resident"))
                .as("resident when each was updated on each CPU")
                .isLessThanOrEqualTo(cpus * (8L * COUNTERS + 2 * page));
        // 16 for the counter, 40 for what gives its memory back, and 4 for an entry in an array that grows by half.
        assertThat(result.number("counters") / COUNTERS).as("heap").isLessThanOrEqualTo(62);
    }
}

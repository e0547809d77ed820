package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.AreaPages;
import dev.percpu.DetachedThreads;
import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.testing.Garbage;
import dev.percpu.testing.Jvm;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What 10,000 counters cost that all CPUs update: in a JVM of its own, whose main method prints it.
 */
@Tag("native")
class CounterMemoryTest {
    private static final int COUNTERS = 10_000;

    /**
     * By default the serial collector leaves up to a twentieth of the heap unused at its lower end, which counts
     * as used.
     */
    private static final String COMPACTED = "-XX:MarkSweepDeadRatio=0";

    /** Makes the counters, makes them hot, and prints what that took. */
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
            DetachedThreads.awaitFinalCode();
            List<PerCpuCounter> counters = new ArrayList<>(COUNTERS);

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
            Jvm.print("first", first.sum());
        }
    }

    @Test
    void tenThousandHotCounters() {
        Jvm.Result result = Jvm.asHere().option(COMPACTED).run(Probe.class);
        assertThat(result.status()).as(result.output()).isZero();
        int cpus = CpuMask.usable().weight();
        long page = 4096;
        assertThat(result.number("sum")).isEqualTo((long) COUNTERS * cpus);
        assertThat(result.number("area") / COUNTERS).as("bytes for each CPU").isEqualTo(8);
        assertThat(result.number("resident"))
                .as("resident when each was updated on each CPU")
                .isLessThanOrEqualTo(cpus * (8L * COUNTERS + 2 * page));
        // 16 for the counter, 40 for what gives its memory back, and 4 for an entry in an array that grows by half.
        assertThat(result.number("counters") / COUNTERS).as("heap").isLessThanOrEqualTo(62);
    }
}

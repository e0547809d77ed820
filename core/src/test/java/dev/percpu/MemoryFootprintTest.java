package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Garbage;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.VmTest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What 10,000 static counters cost, and what counters cost that nobody touches: in a JVM of its own. */
@Tag("native")
@VmTest({"affinity", "cpuset", "many", "numa", "strict"})
class MemoryFootprintTest {
    private static final int COUNTERS = 10_000;

    /** Defines the counters, makes them hot, and prints what that took. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] arguments) throws IOException, InterruptedException {
            List<String> names = new ArrayList<>();
            for (int i = 0; i < COUNTERS; i++) {
                names.add("counter " + i);
            }
            List<PerCpuNumeric> counters = new ArrayList<>(COUNTERS);
            // The classes, and the first page, are not what is measured.
            PerCpuNumeric.define("first", NumericWidth.LONG).increment();
            DetachedThreads.awaitFinalCode();

            long usedBefore = PerCpuRuntime.area().usedBytesPerCpu();
            long residentBefore = AreaPages.residentBytes();
            long heapBefore = Garbage.heapBytes();
            for (String name : names) {
                counters.add(PerCpuNumeric.define(name, NumericWidth.LONG));
            }
            Jvm.print("heap", Garbage.heapBytes() - heapBefore);
            Jvm.print("area", PerCpuRuntime.area().usedBytesPerCpu() - usedBefore);
            counters.forEach(PerCpuNumeric::sum);
            Jvm.print("untouched", AreaPages.residentBytes() - residentBefore);
            dev.percpu.cpu.CpuId.onEachCpu(cpu -> counters.forEach(PerCpuNumeric::increment));
            Jvm.print("hot", AreaPages.residentBytes() - residentBefore);
            Jvm.print("sum", counters.stream().mapToLong(PerCpuNumeric::sum).sum());
            Jvm.print("names", names.size());
        }
    }

    @Test
    void tenThousandHotCounters() {
        Jvm.Result result = Jvm.asHere().run(Probe.class);
        assertThat(result.status()).as(result.output()).isZero();
        int cpus = dev.percpu.cpu.CpuMask.usable().weight();
        long page = 4096;

        assertThat(result.number("area")).as("bytes for each CPU").isEqualTo(8L * COUNTERS);
        assertThat(result.number("heap") / COUNTERS).as("heap of each").isLessThanOrEqualTo(64);
        assertThat(result.number("untouched"))
                .as("resident before the first update")
                .isLessThanOrEqualTo(page);
        assertThat(result.number("hot"))
                .as("resident when each was updated on each CPU")
                .isBetween(cpus * 8L * COUNTERS - cpus * page, cpus * (8L * COUNTERS + 2 * page));
        assertThat(result.number("sum")).isEqualTo((long) cpus * COUNTERS);
    }
}

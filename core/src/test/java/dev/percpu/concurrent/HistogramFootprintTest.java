package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.AreaPages;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.VmTest;
import java.io.IOException;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Which pages of a large histogram, and of many counters, are touched: in a JVM of its own. */
@Tag("native")
@VmTest({"numa", "strict"})
class HistogramFootprintTest {
    private static final long PAGE = 4096;

    /** Makes a histogram, takes snapshots, records, and prints what became resident. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] arguments) throws IOException {
            // The classes, and pages that others share, are not what is measured. The first histogram stays: giving its
            // place back meanwhile would make a page.
            PerCpuHistogram first = PerCpuHistogram.builder().build();
            first.record(1);
            PerCpuHistogram histogram =
                    PerCpuHistogram.builder().precisionBits(14).build();
            long before = AreaPages.residentBytes();
            histogram.snapshot();
            histogram.snapshotThenReset();
            histogram.record(1_000_000, 0);
            PerCpuCounterArray counters = new PerCpuCounterArray(100_000);
            for (int index = 0; index < counters.length(); index++) {
                counters.add(index, 0);
            }
            Jvm.print("counters", LongStream.of(counters.sumsThenReset()).sum());
            Jvm.print("bytes", histogram.bytesPerCpu());
            Jvm.print("untouched", AreaPages.residentBytes() - before);
            CpuId.onEachCpu(cpu -> histogram.record(1_000_000_000));
            Jvm.print("recorded", AreaPages.residentBytes() - before);
            Jvm.print("count", histogram.snapshot().count());
            Jvm.print("first", first.snapshot().count());
        }
    }

    @Test
    void onlyPagesThatAValueFallsIntoAreTouched() {
        Jvm.Result result = Jvm.asHere().run(Probe.class);
        assertThat(result.status()).as(result.output()).isZero();
        int cpus = CpuMask.usable().weight();
        assertThat(result.number("bytes")).isGreaterThan(1000 * PAGE);
        assertThat(result.number("counters")).isZero();
        assertThat(result.number("untouched"))
                .as("resident after snapshots, and additions of 0")
                .isZero();
        assertThat(result.number("recorded"))
                .as("resident after one value on each CPU: the sum's page and the bucket's")
                .isBetween(cpus * PAGE, 2L * cpus * PAGE);
        assertThat(result.number("count")).isEqualTo(cpus);
    }
}

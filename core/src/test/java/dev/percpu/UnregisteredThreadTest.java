package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.cpu.CpuId;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.WithoutCpuId;
import dev.percpu.testing.Workers;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Threads whose registration for restartable sequences was undone, beside threads that have one. The kernel sets such a
 * thread's CPU id to -1. So the thread counts in the spare place, and acquires each CPU's guard as another CPU would.
 */
@Tag("rseq")
@VmTest("machine")
class UnregisteredThreadTest {
    @Test
    void countsOwnsAndExcludesExactly() throws InterruptedException {
        int threads = 8;
        int rounds = Effort.scaled(50_000);
        PerCpuNumeric pure = PerCpuNumeric.create(NumericWidth.LONG);
        PerCpuDouble doubles = PerCpuDouble.create(0);
        StaticPerCpu<NumericCell> cells = StaticPerCpu.defineNumeric("cells", NumericWidth.LONG, 0);
        PerCpuNumeric guarded = PerCpuNumeric.of(cells);
        StaticPerCpu<long[]> pairs = StaticPerCpu.define("pairs", () -> new long[2]);
        PerCpuHistogram histogram = PerCpuHistogram.builder().build();
        Workers.run("unregistered-", threads, WithoutCpuId.everySecond(_ -> {
            for (int round = 0; round < rounds; round++) {
                pure.increment();
                doubles.add(1);
                guarded.increment();
                histogram.record(7);
                try (CpuGuard guard = CpuGuard.acquire()) {
                    pairs.getMut(guard).run(pair -> {
                        pair[0]++;
                        pair[1]++;
                    });
                    try (CpuGuard nested = CpuGuard.acquire()) {
                        assertThat(nested.cpu()).isNotNull();
                    }
                }
                assertThat(CpuId.current()).isNotNull();
            }
        }));
        long all = (long) threads * rounds;
        assertThat(pure.sum()).isEqualTo(all);
        assertThat(pure.elsewhere()).isEqualTo(all / 2);
        assertThat(doubles.sum()).isEqualTo((double) all);
        assertThat(guarded.sum()).isEqualTo(all);
        assertThat(histogram.snapshot().count()).isEqualTo(all);
        assertThat(histogram.snapshot().sum()).isEqualTo(7 * all);
        long[] total = new long[1];
        pairs.forEachCpu((cpu, pair) -> {
            assertThat(pair[1]).isEqualTo(pair[0]);
            total[0] += pair[0];
        });
        assertThat(total[0]).isEqualTo(all);
    }
}

package dev.percpu.internal.guard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.CpuGuard;
import dev.percpu.cpu.CpuId;
import dev.percpu.internal.area.Area;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Workers;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Recovery looks at owners that do nothing wrong, all the time. It must not free what they own. */
class RecoveryRaceTest {
    private static final int OWNERS = 3;
    private static final int ROUNDS = Effort.scaled(200_000);

    @Test
    void owningThreadsKeepWhatTheyOwn() throws InterruptedException {
        // Only an owner of the CPU changes its element, so nothing is lost unless two own it at once.
        long[] counts = new long[Area.CPUS * 16];
        AtomicInteger owning = new AtomicInteger(OWNERS);
        Workers.run("race-", OWNERS + 1, number -> {
            if (number == OWNERS) {
                while (owning.get() > 0) {
                    for (int cpu = 0; cpu < Area.CPUS; cpu++) {
                        assertThat(Recovery.freeIfLeftBehind(cpu))
                                .as("freed CPU %d", cpu)
                                .isFalse();
                    }
                }
                return;
            }
            try {
                for (int round = 0; round < ROUNDS; round++) {
                    CpuId cpu;
                    try (CpuGuard guard = CpuGuard.acquire()) {
                        cpu = guard.cpu();
                        counts[cpu.id() * 16]++;
                    }
                }
            } finally {
                owning.decrementAndGet();
            }
        });
        long sum = 0;
        for (long count : counts) {
            sum += count;
        }
        assertThat(sum).isEqualTo((long) OWNERS * ROUNDS);
    }
}

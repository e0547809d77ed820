package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Disturbance;
import dev.percpu.testing.Workers;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Counters that are updated and reset while threads are preempted, moved between CPUs and signalled. */
@Tag("native")
class CounterExactnessTest {
    private static final int UPDATERS = 8;
    private static final int RESETTERS = 2;

    @Test
    void eightThreadsUnderChurnAndSignals() throws InterruptedException {
        int rounds = 2_000_000;
        PerCpuCounter counter = new PerCpuCounter();
        AtomicLong taken = new AtomicLong();
        AtomicInteger updating = new AtomicInteger(UPDATERS);
        Disturbance.Report disturbed = Disturbance.during(
                "count-worker",
                7,
                () -> Workers.run("count-worker-", UPDATERS + RESETTERS, number -> {
                    if (number < UPDATERS) {
                        for (int i = 0; i < rounds; i++) {
                            counter.increment();
                        }
                        updating.decrementAndGet();
                    } else {
                        while (updating.get() > 0) {
                            taken.addAndGet(counter.sumThenReset());
                        }
                    }
                }));
        assertThat(disturbed.signals()).isGreaterThan(100);
        assertThat(taken.get() + counter.sum()).isEqualTo((long) UPDATERS * rounds);
    }

    @Test
    @SuppressWarnings("ThreadPriorityCheck") // so that virtual threads take turns
    void tenThousandVirtualThreadsUnderChurnAndSignals() throws InterruptedException {
        int threads = 10_000;
        int rounds = 1_000;
        PerCpuCounter counter = new PerCpuCounter();
        AtomicLong taken = new AtomicLong();
        // The carriers of virtual threads.
        Disturbance.during(
                "ForkJoinPool-1",
                8,
                () -> Workers.runVirtual(threads, number -> {
                    for (int i = 0; i < rounds; i++) {
                        counter.increment();
                        if (i % 64 == 0) {
                            Thread.yield();
                        }
                    }
                    if (number % 100 == 0) {
                        taken.addAndGet(counter.sumThenReset());
                    }
                }));
        assertThat(taken.get() + counter.sum()).isEqualTo((long) threads * rounds);
    }
}

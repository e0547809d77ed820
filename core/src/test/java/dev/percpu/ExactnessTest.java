package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Disturbance;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.Workers;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Nothing is lost and nothing doubled while threads are preempted, moved between CPUs and signalled. Each round of a
 * thread does each kind of update once, so that the totals are known.
 */
@Tag("native")
@VmTest({"affinity", "atomic", "cpuset", "machine", "many", "sparse"})
class ExactnessTest {
    /** How many updates one round makes: see {@link Mix#round}. */
    private static final int UPDATES_PER_ROUND = 12;

    private static final long UPDATES = Effort.scaled(100_000_000L);

    @Test
    void eightThreadsUnderChurnAndSignals() throws InterruptedException {
        int threads = 8;
        long rounds = UPDATES / UPDATES_PER_ROUND / threads + 1;
        Mix mix = new Mix();
        Disturbance.Report disturbed = Disturbance.during(
                "exact-worker", 1, () -> Workers.run("exact-worker-", threads, number -> mix.rounds(rounds)));
        assertThat(disturbed.migrations()).isGreaterThan(Effort.scaled(100));
        assertThat(disturbed.signals()).isGreaterThan(Effort.scaled(1000));
        mix.verify(threads * rounds);
    }

    @Test
    void tenThousandVirtualThreadsUnderChurnAndSignals() throws InterruptedException {
        int threads = Effort.tenThousandThreads();
        long rounds = UPDATES / UPDATES_PER_ROUND / 10_000 + 1;
        Mix mix = new Mix();
        Disturbance.Report disturbed =
                Disturbance.ofCarriers(2, () -> Workers.runVirtual(threads, number -> mix.roundsWithYields(rounds)));
        assertThat(disturbed.signals()).isGreaterThan(Effort.scaled(1000));
        mix.verify(threads * rounds);
    }

    /** One variable of each kind, and updates of which the result is known. */
    private static final class Mix {
        private final PerCpuNumeric longs = PerCpuNumeric.create(NumericWidth.LONG);
        private final PerCpuNumeric ints = PerCpuNumeric.create(NumericWidth.INT);
        private final PerCpuNumeric shorts = PerCpuNumeric.create(NumericWidth.SHORT);
        private final PerCpuNumeric bytes = PerCpuNumeric.create(NumericWidth.BYTE);
        private final PerCpuNumeric exchanged = PerCpuNumeric.create(NumericWidth.LONG);
        private final PerCpuDouble doubles = PerCpuDouble.create(0);
        private final DynamicPerCpu<NumericCell> cells = DynamicPerCpu.createNumeric(NumericWidth.LONG, 0);
        private final PerCpuNumeric guarded = PerCpuNumeric.of(cells);
        private final DynamicPerCpu<Pair> pairs = DynamicPerCpu.createWith(Pair::new);

        private void rounds(long count) {
            for (long i = 0; i < count; i++) {
                round();
            }
        }

        @SuppressWarnings("ThreadPriorityCheck") // so that virtual threads take turns
        private void roundsWithYields(long count) {
            for (long i = 0; i < count; i++) {
                round();
                if (i % 64 == 0) {
                    Thread.yield();
                }
            }
        }

        private void round() {
            longs.increment();
            longs.addAndGet(2);
            ints.add(3);
            shorts.add(5);
            bytes.add(-7);
            doubles.add(0.5);
            addByCompareAndExchange(11);
            guarded.add(13);
            guarded.addAndGet(17);
            try (CpuGuard guard = CpuGuard.acquire()) {
                pairs.getMut(guard).run(Pair::increment);
                // Within the guard, and seen by the sequences of everyone else.
                cells.getMut(guard).run(cell -> cell.add(19));
                try (CpuGuard nested = CpuGuard.acquire()) {
                    if (nested.cpu().equals(guard.cpu())) {
                        guarded.addAndGet(23);
                    } else {
                        guarded.add(23);
                    }
                }
            }
        }

        private void addByCompareAndExchange(long delta) {
            long seen = exchanged.get();
            for (long found; (found = exchanged.compareAndExchange(seen, seen + delta)) != seen; seen = found) {}
        }

        private void verify(long rounds) {
            assertThat(longs.sum()).as("long").isEqualTo(3 * rounds);
            assertThat(NumericWidth.INT.wrap(ints.sum())).as("int").isEqualTo(NumericWidth.INT.wrap(3 * rounds));
            assertThat(NumericWidth.SHORT.wrap(shorts.sum()))
                    .as("short")
                    .isEqualTo(NumericWidth.SHORT.wrap(5 * rounds));
            assertThat(NumericWidth.BYTE.wrap(bytes.sum())).as("byte").isEqualTo(NumericWidth.BYTE.wrap(-7 * rounds));
            // Halves are exact up to 2^52.
            assertThat(doubles.sum()).as("double").isEqualTo(0.5 * rounds);
            assertThat(exchanged.sum()).as("compareAndExchange").isEqualTo(11 * rounds);
            assertThat(guarded.sum()).as("guarded").isEqualTo((13 + 17 + 19 + 23) * rounds);
            long[] total = new long[1];
            pairs.forEachCpu((cpu, pair) -> {
                assertThat(pair.second).as("both halves on %s", cpu).isEqualTo(pair.first);
                total[0] += pair.first;
            });
            assertThat(total[0]).as("pairs").isEqualTo(rounds);
        }
    }

    /** Two plain fields that always agree, if nobody comes in between. */
    private static final class Pair {
        private long first;
        private long second;

        private void increment() {
            first++;
            second++;
        }
    }
}

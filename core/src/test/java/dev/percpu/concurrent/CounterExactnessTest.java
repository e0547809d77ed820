package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Disturbance;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.WithoutCpuId;
import dev.percpu.testing.Workers;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Counters that are updated and reset while threads are preempted, moved between CPUs and signalled. */
@Tag("native")
@VmTest({"atomic", "machine"})
class CounterExactnessTest {
    private static final int UPDATERS = 8;
    private static final int RESETTERS = 2;

    /** One of each kind, and what was taken out of them. */
    private static final class Counters {
        private final PerCpuCounter counter = new PerCpuCounter();
        private final PerCpuCounterArray array = new PerCpuCounterArray(2);
        private final PerCpuDoubleCounter doubles = new PerCpuDoubleCounter();
        private final PerCpuAccumulator accumulator = new PerCpuAccumulator(Long::sum, 0);
        private final PerCpuSummary summary = new PerCpuSummary();
        private final AtomicLong taken = new AtomicLong();
        private final AtomicLong takenCount = new AtomicLong();
        private final AtomicLong takenSum = new AtomicLong();
        private final AtomicLongArray takenArray = new AtomicLongArray(2);
        private final AtomicLong takenDoubles = new AtomicLong();
        private final AtomicLong takenAccumulator = new AtomicLong();

        private void update() {
            counter.increment();
            summary.accept(5);
            array.increment(0);
            array.add(1, 4);
            array.add(0, 2, 1, -1);
            doubles.add(2);
            accumulator.accumulate(3);
        }

        private void reset() {
            taken.addAndGet(counter.sumThenReset());
            PerCpuSummary.Result result = summary.summaryThenReset();
            takenCount.addAndGet(result.count());
            takenSum.addAndGet(result.sum());
            long[] sums = array.sumsThenReset();
            takenArray.addAndGet(0, sums[0]);
            takenArray.addAndGet(1, sums[1] + array.sumThenReset(1));
            takenDoubles.addAndGet((long) doubles.sumThenReset());
            takenAccumulator.addAndGet(accumulator.getThenReset());
        }

        private void verify(long updates) {
            reset();
            assertThat(taken).as("counter").hasValue(updates);
            assertThat(takenCount).as("count of a summary").hasValue(updates);
            assertThat(takenSum).as("sum of a summary").hasValue(5 * updates);
            assertThat(takenArray.get(0)).as("array").isEqualTo(3 * updates);
            assertThat(takenArray.get(1)).as("array, by several").isEqualTo(3 * updates);
            assertThat(takenDoubles).as("counter of doubles").hasValue(2 * updates);
            assertThat(takenAccumulator).as("accumulator").hasValue(3 * updates);
        }
    }

    @Test
    void eightThreadsUnderChurnAndSignals() throws InterruptedException {
        updateAndReset(Effort.scaled(1_000_000), UnaryOperator.identity());
    }

    /** Those without one update the number that resets subtract from, or that updates go to during a reset. */
    @Test
    @Tag("rseq")
    void eightThreadsOfWhichHalfHaveNoCpuId() throws InterruptedException {
        updateAndReset(Effort.scaled(1_000_000), WithoutCpuId::everySecond);
    }

    private static void updateAndReset(int rounds, UnaryOperator<IntConsumer> threads) throws InterruptedException {
        Counters counters = new Counters();
        IntConsumer task = threads.apply(Workers.untilDone(
                UPDATERS,
                _ -> {
                    for (int i = 0; i < rounds; i++) {
                        counters.update();
                    }
                },
                counters::reset));
        Disturbance.Report disturbed =
                Disturbance.during("count-worker", 7, () -> Workers.run("count-worker-", UPDATERS + RESETTERS, task));
        assertThat(disturbed.signals()).isGreaterThan(Effort.scaled(100));
        counters.verify((long) UPDATERS * rounds);
    }

    @Test
    @SuppressWarnings("ThreadPriorityCheck") // so that virtual threads take turns
    void tenThousandVirtualThreadsUnderChurnAndSignals() throws InterruptedException {
        int threads = Effort.tenThousandThreads();
        int rounds = Effort.scaled(500);
        Counters counters = new Counters();
        Disturbance.ofCarriers(
                8,
                () -> Workers.runVirtual(threads, number -> {
                    for (int i = 0; i < rounds; i++) {
                        counters.update();
                        if (i % 64 == 0) {
                            Thread.yield();
                        }
                    }
                    if (number % 10 == 0) {
                        counters.reset();
                    }
                }));
        counters.verify((long) threads * rounds);
    }

    /** Small batches, so that credits are used up, filled and collected all the time. */
    @Test
    void aQuotaUnderChurnAndSignals() throws InterruptedException {
        spendAQuota(Effort.scaled(400_000), UnaryOperator.identity());
    }

    /** Those without one have no credit to add from or to fill, and must leave nothing in one that they took for it. */
    @Test
    @Tag("rseq")
    void aQuotaOfThreadsOfWhichHalfHaveNoCpuId() throws InterruptedException {
        spendAQuota(Effort.scaled(400_000), WithoutCpuId::everySecond);
    }

    private static void spendAQuota(int rounds, UnaryOperator<IntConsumer> threads) throws InterruptedException {
        int quota = 500;
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter(4);
        AtomicLong shadow = new AtomicLong();
        AtomicLong successes = new AtomicLong();
        IntConsumer task = threads.apply(_ -> {
            long mine = 0;
            for (int i = 0; i < rounds; i++) {
                // Each thread takes all it can get, and then gives all of it back.
                if (counter.tryAdd(1, quota)) {
                    assertThat(shadow.incrementAndGet()).isLessThanOrEqualTo(quota);
                    successes.incrementAndGet();
                    mine++;
                } else {
                    shadow.addAndGet(-mine);
                    for (; mine > 0; mine--) {
                        counter.sub(1);
                    }
                }
            }
        });
        Disturbance.Report disturbed =
                Disturbance.during("quota-worker", 9, () -> Workers.run("quota-worker-", UPDATERS, task));
        assertThat(disturbed.signals()).isGreaterThan(Effort.scaled(100));
        assertThat(successes.get()).isGreaterThan(quota);
        assertThat(counter.sum()).isEqualTo(shadow.get());
        while (counter.tryAdd(1, quota)) {
            shadow.incrementAndGet();
        }
        assertThat(shadow).hasValue(quota);
    }

    /**
     * Two threads use their CPUs' credits all the time, and a third one has the credits collected again and again: by
     * asking for what does not fit, next to the value, and then moving the value away and back.
     */
    @Test
    void creditsAreCollectedWhileOthersUseThem() throws InterruptedException {
        // Fewer would be over before the first signal.
        int rounds = Math.max(2_000, Effort.scaled(10_000));
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter(64);
        long away = 8 * counter.errorBound();
        IntConsumer task = Workers.untilDone(
                1,
                _ -> {
                    for (int i = 0; i < rounds; i++) {
                        assertThat(counter.tryAdd(away, counter.sum() + away / 2))
                                .isFalse();
                        counter.add(away);
                        for (int spin = 0; spin < 200; spin++) {
                            Thread.onSpinWait();
                        }
                        counter.sub(away);
                    }
                },
                () -> {
                    for (int i = 0; i < 20; i++) {
                        counter.add(1);
                    }
                    counter.sub(20);
                });
        Disturbance.Report disturbed =
                Disturbance.during("collect-worker", 10, () -> Workers.run("collect-worker-", 3, task));
        assertThat(disturbed.signals()).isGreaterThanOrEqualTo(Effort.scaled(10));
        assertThat(counter.sum()).isZero();
    }

    /**
     * One thread lifts the count far above the limit, and credits are filled there, which are not for those who stay
     * below. Without what that thread adds, the value is never above the limit.
     */
    @Test
    void nobodySpendsWhatWasReservedAboveItsLimit() throws InterruptedException {
        int limit = 12;
        int threads = 6;
        int rounds = Effort.scaled(300_000);
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter(4);
        long far = 100 * counter.errorBound();
        AtomicLong shadow = new AtomicLong();
        IntConsumer task = Workers.untilDone(
                threads,
                number -> {
                    long mine = 0;
                    for (int i = 0; i < rounds; i++) {
                        if (mine < limit && counter.tryAdd(1, limit)) {
                            mine++;
                            assertThat(shadow.incrementAndGet()).isLessThanOrEqualTo(limit);
                        } else if (i % 8 == number && mine > 0) {
                            mine--;
                            shadow.decrementAndGet();
                            counter.sub(1);
                        }
                    }
                },
                () -> {
                    counter.add(far);
                    counter.add(1);
                    counter.add(1);
                    counter.sub(far + 2);
                });
        Disturbance.Report disturbed =
                Disturbance.during("above-worker", 11, () -> Workers.run("above-worker-", threads + 1, task));
        assertThat(disturbed.signals()).isGreaterThanOrEqualTo(Effort.scaled(10));
        assertThat(counter.sum()).isEqualTo(shadow.get());
    }
}

package dev.percpu.concurrent;

import static dev.percpu.concurrent.PerCpuEvent.Argument.FIRST;
import static dev.percpu.concurrent.PerCpuEvent.Argument.SECOND;
import static dev.percpu.concurrent.PerCpuEvent.Argument.THIRD;
import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.HotThread;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.testing.Disturbance;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.WithoutCpuId;
import dev.percpu.testing.Workers;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Events while threads are preempted, moved between CPUs and signalled, while others reset the variables, and while the
 * variables' own methods are called as well.
 */
@Tag("native")
@VmTest("machine")
class EventExactnessTest {
    private static final int UPDATERS = 8;
    private static final int RESETTERS = 2;

    /** An event of all kinds of updates, and what was taken out of its variables. */
    private static final class Served {
        private final PerCpuCounter requests = new PerCpuCounter();
        private final PerCpuCounter bytes = new PerCpuCounter();
        private final PerCpuDoubleCounter seconds = new PerCpuDoubleCounter();
        private final PerCpuHistogram latency =
                PerCpuHistogram.builder().highestTrackable(1 << 20).build();
        private final PerCpuAccumulator slowest = PerCpuAccumulator.maximum();
        private final PerCpuCounterArray sizes = new PerCpuCounterArray(8);
        private final PerCpuCounter more = new PerCpuCounter();
        private final PerCpuCounter evenMore = new PerCpuCounter();
        private final boolean alwaysByCall;
        private final PerCpuEvent event;
        private final AtomicInteger owners = new AtomicInteger();
        private final AtomicLong requestsTaken = new AtomicLong();
        private final AtomicLong bytesTaken = new AtomicLong();
        private final AtomicLong sizesTaken = new AtomicLong();
        private final AtomicLong secondsTaken = new AtomicLong();
        private final AtomicLong latenciesTaken = new AtomicLong();
        private final AtomicLong latencySumTaken = new AtomicLong();
        private final LongAccumulator slowestTaken = new LongAccumulator(Long::max, Long.MIN_VALUE);

        /** @param alwaysByCall so that the event has more updates than are made in own places */
        private Served(boolean alwaysByCall) {
            this.alwaysByCall = alwaysByCall;
            EventBuilder builder = PerCpuEvent.builder()
                    .increment(requests)
                    .add(sizes, FIRST, SECOND)
                    .add(bytes, FIRST)
                    .record(latency, SECOND)
                    .accumulate(slowest, SECOND)
                    .add(seconds, THIRD);
            event = (alwaysByCall ? builder.increment(more).increment(evenMore) : builder).build();
        }

        /** All updates of a thread. */
        private void update(int rounds) {
            for (int round = 0; round < rounds; round++) {
                if (round == rounds / 2 && !alwaysByCall) {
                    // The updates alone may be too slow for it, in an emulated machine.
                    HotThread.tryGetPlace();
                }
                updateOnce(round);
            }
            if (OwnPlaces.hasMine()) {
                owners.incrementAndGet();
            }
        }

        private void updateOnce(int round) {
            event.record(7, round, 2);
            if (round % 8 == 0) {
                requests.increment();
                seconds.add(3);
            }
        }

        private void reset() {
            requestsTaken.addAndGet(requests.sumThenReset());
            bytesTaken.addAndGet(bytes.sumThenReset());
            sizesTaken.addAndGet(sizes.sumThenReset(7));
            secondsTaken.addAndGet((long) seconds.sumThenReset());
            HistogramSnapshot snapshot = latency.snapshotThenReset();
            latenciesTaken.addAndGet(snapshot.count());
            latencySumTaken.addAndGet(snapshot.sum());
            slowestTaken.accumulate(slowest.getThenReset());
        }

        private void verify(long threads, long rounds) {
            reset();
            assertThat(requestsTaken).as("requests").hasValue(threads * (rounds + rounds / 8));
            assertThat(bytesTaken).as("bytes").hasValue(7 * threads * rounds);
            assertThat(sizesTaken).as("sizes").hasValue(threads * (rounds * (rounds - 1) / 2));
            assertThat(secondsTaken).as("seconds").hasValue(threads * (2 * rounds + 3 * (rounds / 8)));
            assertThat(latenciesTaken).as("latencies").hasValue(threads * rounds);
            assertThat(latencySumTaken).as("sum of latencies").hasValue(threads * (rounds * (rounds - 1) / 2));
            assertThat(slowestTaken.get()).as("slowest").isEqualTo(rounds - 1);
        }
    }

    @Test
    void eightThreadsUnderChurnAndSignals() throws InterruptedException {
        updateAndReset(new Served(true), UnaryOperator.identity());
    }

    @Test
    void eightThreadsWithPlacesOfTheirOwn() throws InterruptedException {
        Served served = new Served(false);
        updateAndReset(served, UnaryOperator.identity());
        assertThat(served.owners).as("threads with a place").hasPositiveValue();
    }

    @Test
    @Tag("rseq")
    void eightThreadsOfWhichHalfHaveNoCpuId() throws InterruptedException {
        updateAndReset(new Served(true), WithoutCpuId::everySecond);
    }

    private static void updateAndReset(Served served, UnaryOperator<IntConsumer> threads) throws InterruptedException {
        int rounds = Effort.scaled(800_000) & -8;
        IntConsumer task = threads.apply(Workers.untilDone(UPDATERS, _ -> served.update(rounds), served::reset));
        Disturbance.Report disturbed =
                Disturbance.during("event-worker", 7, () -> Workers.run("event-worker-", UPDATERS + RESETTERS, task));
        assertThat(disturbed.signals()).isGreaterThan(Effort.scaled(100));
        served.verify(UPDATERS, rounds);
    }

    @Test
    @SuppressWarnings("ThreadPriorityCheck") // so that virtual threads take turns
    void tenThousandVirtualThreadsUnderChurnAndSignals() throws InterruptedException {
        int threads = Effort.tenThousandThreads();
        int rounds = Math.max(8, Effort.scaled(400) & -8);
        Served served = new Served(false);
        Disturbance.ofCarriers(
                8,
                () -> Workers.runVirtual(threads, number -> {
                    for (int i = 0; i < rounds; i++) {
                        served.updateOnce(i);
                        if (i % 64 == 0) {
                            Thread.yield();
                        }
                    }
                    if (number % 10 == 0) {
                        served.reset();
                    }
                }));
        served.verify(threads, rounds);
    }
}

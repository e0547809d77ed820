package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.HotThread;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.Workers;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * Hot threads that come and go while others read and reset: each place changes hands many times, and no update is lost.
 */
@VmTest("machine")
class OwnPlaceExactnessTest {
    /** More than there are places, and together many times as many. */
    private static final int AT_A_TIME = OwnPlaces.COUNT + 4;

    private static final int LEAST_WAVES = Math.max(3, Effort.scaled(10));

    /** On a slow machine a thread may end before it is hot, so there are waves until enough threads had a place. */
    private static final int ENOUGH_OWNERS = 2 * OwnPlaces.COUNT;

    /** Never so few that a thread cannot become hot; as many for each of ten buckets. */
    private static final int UPDATES = Math.max(200, Effort.scaled(2_000)) * 10;

    private static final int LONG_LOOP = Math.max(1_000_000, Effort.scaled(50_000_000));

    private final PerCpuCounter counter = new PerCpuCounter();
    private final PerCpuDoubleCounter doubles = new PerCpuDoubleCounter();
    private final PerCpuHistogram histogram =
            PerCpuHistogram.builder().highestTrackable(1_000).build();
    private final PerCpuBuckets buckets = new PerCpuBuckets(10);
    private final PerCpuAccumulator accumulator = new PerCpuAccumulator(Long::sum, 0);
    private final PerCpuSummary summary = new PerCpuSummary();
    private final PerCpuCounter eventCounter = new PerCpuCounter();
    private final PerCpuDoubleCounter eventDoubles = new PerCpuDoubleCounter();
    private final PerCpuHistogram eventHistogram =
            PerCpuHistogram.builder().highestTrackable(1_000).build();
    private final PerCpuAccumulator eventMaximum = PerCpuAccumulator.maximum();
    private final PerCpuEvent event = PerCpuEvent.builder()
            .increment(eventCounter)
            .record(eventHistogram, PerCpuEvent.Argument.FIRST)
            .accumulate(eventMaximum, PerCpuEvent.Argument.FIRST)
            .add(eventDoubles, PerCpuEvent.Argument.SECOND)
            .build();

    /** How many threads had a place when they ended. */
    private final AtomicInteger owners = new AtomicInteger();

    /** How many updates all threads did of each. */
    private long all;

    private void update() {
        for (int i = 0; i < UPDATES; i++) {
            counter.increment();
            doubles.add(2);
            histogram.record(i % 1_000);
            buckets.record(i % 10, 2);
            accumulator.accumulate(3);
            summary.accept(i % 1_000);
            event.record(i % 1_000, 2.0);
        }
        if (OwnPlaces.hasMine()) {
            owners.incrementAndGet();
        }
    }

    /** Runs waves of threads that update, and meanwhile the task again and again. */
    private void updateAndMeanwhile(Runnable task) throws InterruptedException {
        AtomicBoolean done = new AtomicBoolean();
        Thread[] others = new Thread[2];
        AtomicInteger failed = new AtomicInteger(others.length);
        for (int i = 0; i < others.length; i++) {
            others[i] = Thread.ofPlatform().start(() -> {
                while (!done.get()) {
                    task.run();
                }
                failed.decrementAndGet();
            });
        }
        try {
            for (int wave = 0; wave < LEAST_WAVES || owners.get() <= ENOUGH_OWNERS; wave++) {
                Workers.run("wave-", AT_A_TIME, _ -> update());
                all += (long) AT_A_TIME * UPDATES;
            }
        } finally {
            done.set(true);
            Workers.join(others);
        }
        assertThat(failed).as("threads that failed").hasValue(0);
    }

    /** The JIT compiler may delay an addition's store, but not until the caller's loop is over. */
    @Test
    void aSumSeesAdditionsOfALoopThatGoesOn() throws InterruptedException {
        AtomicInteger seen = new AtomicInteger();
        // Where CPUs are few, the observer may not run in the first rounds.
        for (int round = 0; round < 50 && seen.get() < 3; round++) {
            HotThread.run(_ -> {
                long before = counter.sum();
                CountDownLatch observes = new CountDownLatch(1);
                AtomicBoolean over = new AtomicBoolean();
                Thread observer = Thread.ofPlatform().start(() -> {
                    observes.countDown();
                    boolean inTheMiddle = false;
                    while (!over.get()) {
                        long now = counter.sum();
                        // In the first half the loop may not be compiled yet.
                        inTheMiddle |= now > before + LONG_LOOP / 2 && now < before + LONG_LOOP;
                    }
                    if (inTheMiddle) {
                        seen.incrementAndGet();
                    }
                });
                try {
                    Workers.await(observes);
                    for (int i = 0; i < LONG_LOOP; i++) {
                        counter.increment();
                    }
                } finally {
                    over.set(true);
                }
                Workers.join(observer);
                assertThat(counter.sum()).isEqualTo(before + LONG_LOOP);
            });
        }
        assertThat(seen).hasValueGreaterThanOrEqualTo(3);
    }

    @Test
    void sumsOnlyGrow() throws InterruptedException {
        ThreadLocal<long[]> before = ThreadLocal.withInitial(() -> new long[10]);
        updateAndMeanwhile(() -> {
            long[] last = before.get();
            long[] now = {
                counter.sum(),
                (long) doubles.sum(),
                histogram.snapshot().count(),
                LongStream.of(buckets.counts()).sum(),
                (long) buckets.sum(),
                eventCounter.sum(),
                eventHistogram.snapshot().sum(),
                (long) eventDoubles.sum(),
                accumulator.get(),
                Math.max(0, summary.summary().max())
            };
            for (int i = 0; i < last.length; i++) {
                assertThat(now[i]).isGreaterThanOrEqualTo(last[i]);
                last[i] = now[i];
            }
        });
        assertThat(counter.sum()).isEqualTo(all);
        assertThat(doubles.sum()).isEqualTo(2.0 * all);
        assertThat(histogram.snapshot().count()).isEqualTo(all);
        assertThat(buckets.counts()).containsOnly(all / 10);
        assertThat(buckets.sum()).isEqualTo(2.0 * all);
        assertThat(eventCounter.sum()).isEqualTo(all);
        assertThat(eventHistogram.snapshot().count()).isEqualTo(all);
        assertThat(eventHistogram.snapshot().sum())
                .isEqualTo(histogram.snapshot().sum());
        assertThat(eventDoubles.sum()).isEqualTo(2.0 * all);
        assertThat(eventMaximum.get()).isEqualTo(999);
        assertThat(accumulator.get()).isEqualTo(3 * all);
        assertThat(summary.summary())
                .isEqualTo(new PerCpuSummary.Result(all, histogram.snapshot().sum(), 0, 999));
    }

    @Test
    void eachUpdateIsInExactlyOneResult() throws InterruptedException {
        AtomicLong taken = new AtomicLong();
        AtomicLong takenDoubles = new AtomicLong();
        AtomicLong takenRecords = new AtomicLong();
        AtomicLong takenByEvent = new AtomicLong();
        AtomicLong takenDoublesByEvent = new AtomicLong();
        AtomicLong takenRecordsByEvent = new AtomicLong();
        LongAccumulator takenMaximum = new LongAccumulator(Long::max, Long.MIN_VALUE);
        AtomicLong takenAccumulated = new AtomicLong();
        LongAccumulator takenLeast = new LongAccumulator(Long::min, Long.MAX_VALUE);
        updateAndMeanwhile(() -> {
            taken.addAndGet(counter.sumThenReset());
            takenDoubles.addAndGet((long) doubles.sumThenReset());
            takenRecords.addAndGet(histogram.snapshotThenReset().count());
            takenByEvent.addAndGet(eventCounter.sumThenReset());
            takenDoublesByEvent.addAndGet((long) eventDoubles.sumThenReset());
            takenRecordsByEvent.addAndGet(eventHistogram.snapshotThenReset().count());
            takenMaximum.accumulate(eventMaximum.getThenReset());
            takenAccumulated.addAndGet(accumulator.getThenReset());
            takenLeast.accumulate(summary.summaryThenReset().min());
        });
        assertThat(taken.get() + counter.sumThenReset()).isEqualTo(all);
        assertThat(takenDoubles.get() + doubles.sumThenReset()).isEqualTo(2.0 * all);
        assertThat(takenRecords.get() + histogram.snapshotThenReset().count()).isEqualTo(all);
        assertThat(takenByEvent.get() + eventCounter.sumThenReset()).isEqualTo(all);
        assertThat(takenDoublesByEvent.get() + eventDoubles.sumThenReset()).isEqualTo(2.0 * all);
        assertThat(takenRecordsByEvent.get()
                        + eventHistogram.snapshotThenReset().count())
                .isEqualTo(all);
        takenMaximum.accumulate(eventMaximum.getThenReset());
        assertThat(takenMaximum.get()).isEqualTo(999);
        assertThat(takenAccumulated.get() + accumulator.getThenReset()).isEqualTo(3 * all);
        takenLeast.accumulate(summary.summary().min());
        assertThat(takenLeast.get()).isZero();
        assertThat(counter.sum()).isZero();
        assertThat(doubles.sum()).isZero();
    }
}

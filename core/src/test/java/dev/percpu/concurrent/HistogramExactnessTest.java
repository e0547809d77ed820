package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Disturbance;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Nothing is lost and nothing doubled while threads that record are preempted, moved between CPUs and signalled, and
 * others take snapshots and reset.
 */
@VmTest("machine")
class HistogramExactnessTest {
    private static final int RECORDERS = 8;
    private static final int RESETTERS = 3;
    private static final int ROUNDS = Effort.scaled(3_000_000);

    @Test
    @Tag("native")
    void eightThreadsUnderChurnAndSignals() throws InterruptedException {
        Run run = new Run(RECORDERS, Run.DIVIDED);
        Disturbance.Report disturbed = Disturbance.during(
                "recorder-",
                1,
                () -> Workers.run("recorder-", RECORDERS + RESETTERS + 1, number -> run.work(number, ROUNDS)));
        assertThat(disturbed.migrations()).isGreaterThan(Effort.scaled(100));
        assertThat(disturbed.signals()).isGreaterThan(Effort.scaled(1000));
        run.verify(ROUNDS);
    }

    @Test
    void tenThousandVirtualThreads() throws InterruptedException {
        int threads = Effort.tenThousandThreads();
        int rounds = Effort.scaled(500);
        Run run = new Run(threads, PerCpuHistogram.builder().bounds(-5, 0, 3, 50, 100, 200));
        Workers.runVirtual(threads + RESETTERS + 1, number -> run.work(number, rounds));
        run.verify(rounds);
    }

    /** One histogram, some threads that record, some that reset, and one that looks. */
    private static final class Run {
        /** Few buckets, so that the threads meet in them; and values out of range. */
        private static final int VALUES = 300;

        private static final long LEAST = -10;

        private static final HistogramBuilder DIVIDED =
                PerCpuHistogram.builder().precisionBits(2).highestTrackable(200);

        private final PerCpuHistogram histogram;
        private final int recorders;
        private final CountDownLatch recording;
        private final List<HistogramSnapshot> results = new ArrayList<>();

        private Run(int recorders, HistogramBuilder builder) {
            this.histogram = builder.build();
            this.recorders = recorders;
            this.recording = new CountDownLatch(recorders);
        }

        private void work(int number, int rounds) {
            if (number < recorders) {
                try {
                    record(number, rounds);
                } finally {
                    recording.countDown();
                }
            } else if (number < recorders + RESETTERS) {
                resetUntilAllIsRecorded();
            } else {
                lookUntilAllIsRecorded();
            }
        }

        @SuppressWarnings("ThreadPriorityCheck") // so that virtual threads take turns
        private void record(int number, int rounds) {
            for (int round = 0; round < rounds; round++) {
                long value = value(number, round);
                if (round % 8 == 0) {
                    histogram.record(value, 3);
                } else {
                    histogram.record(value);
                }
                if (round % 64 == 0 && Thread.currentThread().isVirtual()) {
                    Thread.yield();
                }
            }
        }

        private static long value(int number, int round) {
            return (number * 17L + round) % VALUES + LEAST;
        }

        @SuppressWarnings("ThreadPriorityCheck")
        private void resetUntilAllIsRecorded() {
            HistogramSnapshot mine = histogram.snapshotThenReset();
            while (recording.getCount() > 0) {
                HistogramSnapshot next = histogram.snapshotThenReset();
                verifyCount(next);
                mine = mine.plus(next);
                Thread.yield();
            }
            synchronized (results) {
                results.add(mine);
            }
        }

        @SuppressWarnings("ThreadPriorityCheck")
        private void lookUntilAllIsRecorded() {
            while (recording.getCount() > 0) {
                verifyCount(histogram.snapshot());
                Thread.yield();
            }
        }

        private static void verifyCount(HistogramSnapshot snapshot) {
            long counted = 0;
            for (HistogramSnapshot.Bucket bucket : snapshot.buckets()) {
                assertThat(bucket.count()).isPositive();
                counted += bucket.count();
            }
            assertThat(snapshot.count()).isEqualTo(counted);
        }

        private void verify(int rounds) {
            assertThat(results).hasSize(RESETTERS);
            HistogramSnapshot all = histogram.snapshotThenReset();
            for (HistogramSnapshot result : results) {
                all = all.plus(result);
            }
            long[] times = new long[VALUES];
            long recorded = 0;
            for (int number = 0; number < recorders; number++) {
                for (int round = 0; round < rounds; round++) {
                    long count = round % 8 == 0 ? 3 : 1;
                    times[(int) (value(number, round) - LEAST)] += count;
                    recorded += count;
                }
            }
            assertThat(all.count()).isEqualTo(recorded);
            assertThat(all.sum())
                    .isEqualTo(IntStream.range(0, VALUES)
                            .mapToLong(i -> (i + LEAST) * times[i])
                            .sum());
            for (HistogramSnapshot.Bucket bucket : all.buckets()) {
                assertThat(bucket.count())
                        .as("values in %s", bucket)
                        .isEqualTo(IntStream.range(0, VALUES)
                                .filter(i -> i + LEAST >= bucket.lowest() && i + LEAST <= bucket.highest())
                                .mapToLong(i -> times[i])
                                .sum());
            }
            verifyCount(all);
            assertThat(histogram.snapshot().isEmpty()).isTrue();
        }
    }
}

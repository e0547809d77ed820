package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.testing.Effort;
import dev.percpu.testing.Workers;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;

/** Readers of one histogram, each with its own intervals; and differences of snapshots. */
class HistogramReaderTest {
    private final PerCpuHistogram histogram = PerCpuHistogram.builder().build();

    @Test
    void eachReaderSeesEachValueOnce() {
        histogram.record(1);
        HistogramReader first = histogram.reader();
        histogram.record(2);
        HistogramReader second = histogram.reader();
        histogram.record(3);
        assertThat(first.peek().count()).isEqualTo(2);
        assertThat(first.next().sum()).isEqualTo(5);
        assertThat(first.next().isEmpty()).isTrue();
        assertThat(histogram.snapshotThenReset().sum()).isEqualTo(6);
        histogram.record(4);
        assertThat(first.peek().sum()).isEqualTo(4);
        assertThat(first.next().max()).isEqualTo(4);
        assertThat(second.next().sum()).isEqualTo(7);
        assertThat(histogram.snapshot().sum()).isEqualTo(4);
    }

    @Test
    void whoOnlyPeeksSeesNoTotalGoBackwards() throws InterruptedException {
        int rounds = Effort.scaled(2_000);
        AtomicInteger running = new AtomicInteger(2);
        HistogramReader peeking = histogram.reader();
        AtomicLong taken = new AtomicLong();
        Workers.run("reader-", 4, number -> {
            if (number < 2) {
                try {
                    for (int i = 0; i < rounds; i++) {
                        histogram.record(i);
                    }
                } finally {
                    running.decrementAndGet();
                }
            } else if (number == 2) {
                HistogramSnapshot last = peeking.peek();
                while (running.get() > 0) {
                    HistogramSnapshot now = peeking.peek();
                    assertThat(now.minus(last).count()).isEqualTo(now.count() - last.count());
                    last = now;
                }
            } else {
                while (running.get() > 0) {
                    taken.addAndGet(histogram.snapshotThenReset().count());
                }
            }
        });
        assertThat(peeking.next().count()).isEqualTo(2L * rounds);
        assertThat(taken.get() + histogram.snapshot().count()).isEqualTo(2L * rounds);
    }

    /** At most one value at a time is recorded and not taken, so no snapshot may have more. */
    @Test
    void aSnapshotCountsNothingThatAResetTookMeanwhile() throws InterruptedException {
        // So many buckets that resets come while they are added up.
        PerCpuHistogram large = PerCpuHistogram.builder().precisionBits(7).build();
        int rounds = Effort.scaled(4_000);
        IntConsumer task = Workers.untilDone(
                1,
                _ -> {
                    for (int i = 0; i < rounds; i++) {
                        large.record(5);
                        assertThat(large.snapshotThenReset().count()).isEqualTo(1);
                    }
                },
                () -> assertThat(large.snapshot().count()).isLessThanOrEqualTo(1));
        Workers.run("reset-", 2, task);
    }

    @Test
    void aDifferenceIsWhatCameSince() {
        histogram.record(7);
        HistogramSnapshot earlier = histogram.snapshot();
        histogram.record(7);
        histogram.record(1_000);
        HistogramSnapshot later = histogram.snapshot();
        HistogramSnapshot difference = later.minus(earlier);
        assertThat(difference.count()).isEqualTo(2);
        assertThat(difference.sum()).isEqualTo(1_007);
        assertThat(difference.plus(earlier).buckets()).isEqualTo(later.buckets());
        assertThatThrownBy(() -> earlier.minus(later))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("from 7 to 7 it has 2 values, and this one has 1");
        HistogramSnapshot other =
                PerCpuHistogram.builder().precisionBits(2).build().snapshot();
        assertThatThrownBy(() -> later.minus(other))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("built alike");
    }

    @Test
    void noDifferenceIsTakenAcrossAReset() {
        PerCpuHistogram small = PerCpuHistogram.builder().highestTrackable(100).build();
        for (long value : new long[] {-1, 50, 1_000}) {
            small.record(value);
            HistogramSnapshot before = small.snapshotThenReset();
            HistogramSnapshot after = small.snapshot();
            assertThatThrownBy(() -> after.minus(before))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("it has 1 values, and this one has 0");
        }
    }

    @Test
    void severalQuantilesAreWhatEachIs() {
        for (int value = 0; value < 1_000; value++) {
            histogram.record((long) value * value);
        }
        double[] quantiles = {0, 0.001, 0.25, 0.5, 0.5, 0.99, 0.999, 1};
        HistogramSnapshot snapshot = histogram.snapshot();
        long[] values = snapshot.quantiles(quantiles);
        for (int i = 0; i < quantiles.length; i++) {
            assertThat(values[i]).isEqualTo(snapshot.quantile(quantiles[i]));
        }
        assertThat(snapshot.quantiles()).isEmpty();
        assertThatThrownBy(() -> snapshot.quantiles(0.5, 0.4))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0.4 follows 0.5");
        assertThatThrownBy(() -> snapshot.quantiles(0.5, Double.NaN)).isInstanceOf(IllegalArgumentException.class);
    }
}

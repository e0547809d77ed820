package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.memory.AreaFullException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Recording, resetting and the histogram's life, by one thread at a time. */
class PerCpuHistogramTest {
    private static PerCpuHistogram small() {
        return PerCpuHistogram.builder().precisionBits(3).highestTrackable(1000).build();
    }

    @Test
    void countsAndSumsOnEachCpu() {
        PerCpuHistogram histogram = small();
        CpuId.onEachCpu(cpu -> {
            histogram.record(5);
            histogram.record(100, 3);
            histogram.record(7, 0);
        });
        int cpus = CpuMask.usable().weight();
        HistogramSnapshot snapshot = histogram.snapshot();
        assertThat(snapshot.count()).isEqualTo(4L * cpus);
        assertThat(snapshot.sum()).isEqualTo(305L * cpus);
        assertThat(snapshot.buckets())
                .containsExactly(
                        new HistogramSnapshot.Bucket(5, 5, cpus), new HistogramSnapshot.Bucket(96, 103, 3L * cpus));
    }

    @Test
    void valuesOutOfRangeAreCountedAndSummed() {
        PerCpuHistogram histogram = small();
        assertThat(histogram.highestTrackable()).isEqualTo(1023);
        for (long value : new long[] {-1, Long.MIN_VALUE, 0, 1023, 1024, Long.MAX_VALUE}) {
            histogram.record(value);
        }
        HistogramSnapshot snapshot = histogram.snapshot();
        assertThat(snapshot.count()).isEqualTo(6);
        assertThat(snapshot.underflow()).isEqualTo(2);
        assertThat(snapshot.overflow()).isEqualTo(2);
        assertThat(snapshot.sum()).isEqualTo(1023 + 1024 - 2);
        assertThat(snapshot.buckets())
                .containsExactly(
                        new HistogramSnapshot.Bucket(Long.MIN_VALUE, -1, 2),
                        new HistogramSnapshot.Bucket(0, 0, 1),
                        new HistogramSnapshot.Bucket(960, 1023, 1),
                        new HistogramSnapshot.Bucket(1024, Long.MAX_VALUE, 2));
    }

    @Test
    void sumsWrapAndCountsStay() {
        PerCpuHistogram histogram = small();
        histogram.record(Long.MAX_VALUE, 3);
        histogram.record(4, Long.MAX_VALUE / 2);
        assertThat(histogram.snapshot().count()).isEqualTo(3 + Long.MAX_VALUE / 2);
        assertThat(histogram.snapshot().sum()).isEqualTo(Long.MAX_VALUE - 2 - 4);
    }

    @Test
    void aNegativeCountIsRefused() {
        PerCpuHistogram histogram = small();
        assertThatThrownBy(() -> histogram.record(17, -2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("17")
                .hasMessageContaining("-2");
        assertThat(histogram.snapshot().isEmpty()).isTrue();
    }

    @Test
    void aSnapshotDoesNotChange() {
        PerCpuHistogram histogram = small();
        histogram.record(5);
        HistogramSnapshot before = histogram.snapshot();
        histogram.record(5);
        histogram.snapshotThenReset();
        assertThat(before.count()).isEqualTo(1);
        assertThat(before.buckets()).containsExactly(new HistogramSnapshot.Bucket(5, 5, 1));
    }

    @Test
    void aResetWithoutAResultForgetsTheSame() {
        PerCpuHistogram histogram = small();
        HistogramReader reader = histogram.reader();
        histogram.record(5);
        histogram.reset();
        assertThat(histogram.snapshot().isEmpty()).isTrue();
        histogram.record(6);
        assertThat(histogram.snapshotThenReset().sum()).isEqualTo(6);
        assertThat(reader.next().sum()).isEqualTo(11);
    }

    @Test
    void aResetChangesNoOtherHistogramAndNothingInTheArea() {
        PerCpuHistogram neighbour = small();
        PerCpuHistogram histogram = small();
        histogram.record(5);
        neighbour.record(6);
        assertThat(histogram.snapshotThenReset().count()).isEqualTo(1);
        assertThat(histogram.snapshot().isEmpty()).isTrue();
        assertThat(histogram.snapshot().sum()).isZero();
        assertThat(histogram.snapshotThenReset().isEmpty()).isTrue();
        histogram.record(5);
        assertThat(histogram.snapshotThenReset().count()).isEqualTo(1);
        assertThat(neighbour.snapshot().buckets()).containsExactly(new HistogramSnapshot.Bucket(6, 6, 1));
    }

    /** Random operations, beside a list that has every value. */
    @Property(tries = 100)
    void countsLikeAListOfAllValues(
            @ForAll @IntRange(max = 5) int precisionBits,
            @ForAll @IntRange(max = 4) int unitBits,
            @ForAll Random random) {
        PerCpuHistogram histogram = PerCpuHistogram.builder()
                .precisionBits(precisionBits)
                .lowestDiscernible(1L << unitBits)
                .highestTrackable(1 << 16)
                .build();
        List<Long> values = new ArrayList<>();
        HistogramSnapshot earlier = histogram.snapshot();
        List<Long> earlierValues = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            long value = random.nextLong() >> random.nextInt(45, 64);
            switch (random.nextInt(20)) {
                case 0 -> verify(histogram.snapshot(), values);
                case 1 -> {
                    earlier = earlier.plus(histogram.snapshotThenReset());
                    earlierValues.addAll(values);
                    values.clear();
                    verify(earlier, earlierValues);
                }
                case 2 -> {
                    int count = random.nextInt(5);
                    histogram.record(value, count);
                    for (int repeated = 0; repeated < count; repeated++) {
                        values.add(value);
                    }
                }
                default -> {
                    histogram.record(value);
                    values.add(value);
                }
            }
        }
        verify(histogram.snapshot(), values);
        verify(earlier.plus(histogram.snapshotThenReset()), concat(earlierValues, values));
    }

    /** The same with given bounds. */
    @Property(tries = 50)
    void countsLikeAListOfAllValuesWithGivenBounds(@ForAll Random random) {
        long[] bounds = random.longs(12, -100, 1 << 14).sorted().distinct().toArray();
        PerCpuHistogram histogram = PerCpuHistogram.builder().bounds(bounds).build();
        assertThat(histogram.bounds()).isEqualTo(bounds);
        assertThat(histogram.bytesPerCpu()).isEqualTo(8L * (bounds.length + 2));
        List<Long> values = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            long value = random.nextLong() >> random.nextInt(45, 64);
            histogram.record(value);
            values.add(value);
        }
        verify(histogram.snapshot(), values);
        assertThat(histogram.snapshot().cumulativeCounts(bounds))
                .isEqualTo(Arrays.stream(bounds)
                        .map(bound ->
                                values.stream().filter(value -> value <= bound).count())
                        .toArray());
        verify(histogram.snapshotThenReset(), values);
        histogram.record(bounds[0]);
        verify(histogram.snapshotThenReset(), List.of(bounds[0]));
    }

    private static List<Long> concat(List<Long> first, List<Long> second) {
        List<Long> both = new ArrayList<>(first);
        both.addAll(second);
        return both;
    }

    private static void verify(HistogramSnapshot snapshot, List<Long> values) {
        long[] sorted = values.stream().mapToLong(Long::longValue).sorted().toArray();
        assertThat(snapshot.count()).isEqualTo(sorted.length);
        assertThat(snapshot.sum()).isEqualTo(Arrays.stream(sorted).sum());
        assertThat(snapshot.isEmpty()).isEqualTo(sorted.length == 0);
        long counted = 0;
        for (HistogramSnapshot.Bucket bucket : snapshot.buckets()) {
            assertThat(bucket.count())
                    .as("values in %s", bucket)
                    .isEqualTo(Arrays.stream(sorted)
                            .filter(value -> value >= bucket.lowest() && value <= bucket.highest())
                            .count());
            counted += bucket.count();
        }
        assertThat(counted).isEqualTo(snapshot.count());
        if (sorted.length > 0) {
            QuantilesTest.verifyQuantiles(snapshot, sorted);
        }
    }

    @Test
    void memoryOfHistogramsThatNobodyHasComesBackZeroed() {
        // Together they need more than there is, so most must come back.
        int rounds = (int) (2 * Area.STRIDE / quarterOfTheArea().bytesPerCpu());
        for (int round = 0; round < rounds; round++) {
            PerCpuHistogram histogram = quarterOfTheArea();
            assertThat(histogram.snapshot().isEmpty()).isTrue();
            assertThat(histogram.snapshot().sum()).isZero();
            histogram.record(round);
            histogram.record(Long.MAX_VALUE);
            assertThat(histogram.snapshot().count()).isEqualTo(2);
        }
    }

    private static PerCpuHistogram quarterOfTheArea() {
        int precisionBits = 0;
        while (PerCpuHistogram.builder()
                        .precisionBits(precisionBits + 1)
                        .layout()
                        .size()
                < Area.STRIDE / 4 / Long.BYTES) {
            precisionBits++;
        }
        return PerCpuHistogram.builder().precisionBits(precisionBits).build();
    }

    @Test
    void aHistogramThatDoesNotFitSaysHowLargeItIs() {
        // 3.2 million buckets, and the area has room for two.
        HistogramBuilder builder = PerCpuHistogram.builder().precisionBits(16);
        assertThatThrownBy(builder::build)
                .isInstanceOf(AreaFullException.class)
                .hasMessageContaining("a PerCpuHistogram of")
                .hasMessageContaining("-Dpercpu.area.stride=");
    }

    @Test
    void theSizeIsThatOfItsBuckets() {
        long before = Area.usedBytesPerCpu();
        PerCpuHistogram histogram = PerCpuHistogram.builder()
                .precisionBits(4)
                .highestTrackable((1 << 10) - 1)
                .build();
        // 32 of width 1, 16 for each of the five powers of two from 32 on, two for what is out of range, and
        // the sum.
        assertThat(histogram.bytesPerCpu()).isEqualTo(8 * (32 + 5 * 16 + 2 + 1));
        assertThat(Area.usedBytesPerCpu()).isLessThanOrEqualTo(before + histogram.bytesPerCpu());
    }
}

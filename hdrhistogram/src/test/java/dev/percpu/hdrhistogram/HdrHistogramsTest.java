package dev.percpu.hdrhistogram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.percpu.concurrent.HistogramSnapshot;
import dev.percpu.concurrent.PerCpuHistogram;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What HdrHistogram says about values that a per-CPU histogram counted. */
class HdrHistogramsTest {
    private static final long HIGHEST = 3_600_000_000L;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 5, 7, 9, 10, 12, 14})
    void percentilesAreWithinTheErrorsOfBoth(int precisionBits) {
        for (long lowest : new long[] {1, 7, 1000}) {
            PerCpuHistogram histogram = PerCpuHistogram.builder()
                    .precisionBits(precisionBits)
                    .lowestDiscernible(lowest)
                    .highestTrackable(HIGHEST)
                    .build();
            Random random = new Random(precisionBits);
            long[] values = LongStream.generate(() -> (long) Math.exp(random.nextDouble() * 21))
                    .limit(10_000)
                    .toArray();
            Arrays.stream(values).forEach(histogram::record);
            Arrays.sort(values);
            verifyPercentiles(histogram.snapshot(), values);
        }
    }

    private static void verifyPercentiles(HistogramSnapshot snapshot, long[] sorted) {
        Histogram converted = HdrHistograms.toHdrHistogram(snapshot);
        // HdrHistogram's own, filled with the exact values, has them in the same buckets.
        Histogram own = new Histogram(
                snapshot.unit(), snapshot.highestTrackable(), converted.getNumberOfSignificantValueDigits());
        Arrays.stream(sorted).forEach(own::recordValue);
        assertThat(converted.getTotalCount()).isEqualTo(sorted.length).isEqualTo(snapshot.count());
        double error = Math.max(snapshot.relativeError(), Math.pow(10, -converted.getNumberOfSignificantValueDigits()));
        for (int percent = 1; percent <= 100; percent++) {
            long exact = sorted[(percent * sorted.length + 99) / 100 - 1];
            long reported = converted.getValueAtPercentile(percent);
            assertThat(reported).as("percentile %d", percent).isEqualTo(own.getValueAtPercentile(percent));
            assertThat(reported)
                    .isGreaterThanOrEqualTo(exact)
                    .isGreaterThanOrEqualTo(snapshot.quantile(percent / 100.0));
            assertThat((double) reported - exact)
                    .as("percentile %d above %d", percent, exact)
                    .isLessThanOrEqualTo(Math.max((double) snapshot.unit() - 1, error * exact));
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "3, 0", "4, 1", "6, 1", "7, 2", "9, 2", "10, 3", "13, 3", "14, 4"})
    void digitsAreThoseThatThereArePrecisionBitsFor(int precisionBits, int digits) {
        PerCpuHistogram histogram = PerCpuHistogram.builder()
                .precisionBits(precisionBits)
                .highestTrackable(100_000)
                .build();
        assertThat(HdrHistograms.toHdrHistogram(histogram.snapshot()).getNumberOfSignificantValueDigits())
                .isEqualTo(digits);
    }

    @Test
    void valuesOutOfRangeAreAtItsEnds() {
        PerCpuHistogram histogram = PerCpuHistogram.builder()
                .precisionBits(4)
                .highestTrackable(1000)
                .build();
        histogram.record(-5, 3);
        histogram.record(5000, 2);
        histogram.record(17);
        Histogram converted = HdrHistograms.toHdrHistogram(histogram.snapshot());
        assertThat(converted.getTotalCount()).isEqualTo(6);
        assertThat(converted.getCountAtValue(0)).isEqualTo(3);
        assertThat(converted.getCountAtValue(17)).isEqualTo(1);
        assertThat(converted.getCountAtValue(histogram.highestTrackable())).isEqualTo(2);
    }

    /** Its buckets fit into none of HdrHistogram's. */
    @Test
    void aHistogramWithBoundsIsRefused() {
        PerCpuHistogram histogram =
                PerCpuHistogram.builder().bounds(5, 10, 1_000).build();
        histogram.record(7);
        HistogramSnapshot snapshot = histogram.snapshot();
        assertThatIllegalStateException()
                .isThrownBy(() -> HdrHistograms.toHdrHistogram(snapshot))
                .withMessage("a histogram with bounds cannot be converted, as its buckets fit into no number of"
                        + " significant digits: build it with precisionBits or relativeError instead");
    }

    @Test
    void noSnapshotIsRefused() {
        assertThatNullPointerException().isThrownBy(() -> HdrHistograms.toHdrHistogram(null));
    }

    @Test
    void theWholeRangeAndNothingInIt() {
        PerCpuHistogram histogram = PerCpuHistogram.builder().build();
        assertThat(HdrHistograms.toHdrHistogram(histogram.snapshot()).getTotalCount())
                .isZero();
        histogram.record(Long.MAX_VALUE, 1L << 40);
        histogram.record(0);
        Histogram converted = HdrHistograms.toHdrHistogram(histogram.snapshot());
        assertThat(converted.getTotalCount()).isEqualTo((1L << 40) + 1);
        assertThat(converted.getMaxValue()).isEqualTo(Long.MAX_VALUE);
        assertThat(converted.getMinValue()).isZero();
    }

    /** The narrowest ranges of the coarsest units, where HdrHistogram has least room. */
    @Test
    void everyLayoutThatCanBeBuiltCanBeConverted() {
        for (int precisionBits = 0; precisionBits <= 14; precisionBits++) {
            for (int unitBits = 0; precisionBits + unitBits <= 61; unitBits++) {
                for (long highest : new long[] {2L << unitBits, Math.max(2L << unitBits, 1L << 20)}) {
                    PerCpuHistogram histogram = PerCpuHistogram.builder()
                            .precisionBits(precisionBits)
                            .lowestDiscernible(1L << unitBits)
                            .highestTrackable(highest)
                            .build();
                    histogram.record(highest, 2);
                    Histogram converted = HdrHistograms.toHdrHistogram(histogram.snapshot());
                    assertThat(converted.getCountAtValue(highest)).isEqualTo(2);
                }
            }
        }
    }
}

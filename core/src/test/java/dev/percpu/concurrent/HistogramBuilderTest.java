package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What a histogram can be made with, and what not. */
class HistogramBuilderTest {
    @Test
    void refusesWhatMakesNoHistogram() {
        assertThatThrownBy(() -> PerCpuHistogram.builder().precisionBits(17))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("from 0 to 16 bits, not 17");
        assertThatThrownBy(() -> PerCpuHistogram.builder().precisionBits(-1)).hasMessageContaining("not -1");
        for (double error : new double[] {0, -0.1, 1.5, 1e-6, Double.NaN}) {
            assertThatThrownBy(() -> PerCpuHistogram.builder().relativeError(error))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("not " + error);
        }
        assertThatThrownBy(() -> PerCpuHistogram.builder().lowestDiscernible(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least 1, not 0");
        assertThatThrownBy(() -> PerCpuHistogram.builder()
                        .lowestDiscernible(1000)
                        .highestTrackable(1999)
                        .build())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("1999")
                .hasMessageContaining("1000");
        assertThatThrownBy(() -> PerCpuHistogram.builder()
                        .precisionBits(10)
                        .lowestDiscernible(1L << 52)
                        .build())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("use at most 9");
    }

    @Test
    void refusesBoundsWithAPrecisionOrARange() {
        List<UnaryOperator<HistogramBuilder>> contradictions = List.of(
                builder -> builder.precisionBits(5),
                builder -> builder.relativeError(0.01),
                builder -> builder.lowestDiscernible(1),
                builder -> builder.highestTrackable(100));
        List<String> names =
                List.of("precisionBits(5)", "relativeError(0.01)", "lowestDiscernible(1)", "highestTrackable(100)");
        for (int i = 0; i < names.size(); i++) {
            UnaryOperator<HistogramBuilder> contradiction = contradictions.get(i);
            String message = "a PerCpuHistogram: bounds(...) and " + names.get(i)
                    + " contradict each other: both decide which buckets there are, so leave one of them out";
            HistogramBuilder boundsFirst =
                    contradiction.apply(PerCpuHistogram.builder().bounds(1, 2));
            assertThatThrownBy(boundsFirst::build)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage(message);
            HistogramBuilder boundsLast =
                    contradiction.apply(PerCpuHistogram.builder()).bounds(1, 2);
            assertThatThrownBy(boundsLast::build).hasMessage(message);
        }
        assertThatThrownBy(() -> PerCpuHistogram.builder().bounds(2, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a PerCpuHistogram: each bound must be greater than the one before, but 1 follows 2");
        PerCpuHistogram histogram =
                PerCpuHistogram.builder().bounds(1, 2).name("by bounds").build();
        assertThat(histogram).hasToString("by bounds: 3 buckets with the upper bounds [1, 2]");
    }

    @Test
    void roundsToPowersOfTwo() {
        PerCpuHistogram histogram = PerCpuHistogram.builder()
                .relativeError(0.01)
                .lowestDiscernible(1000)
                .highestTrackable(1_000_000)
                .build();
        HistogramSnapshot snapshot = histogram.snapshot();
        assertThat(snapshot.precisionBits()).isEqualTo(7);
        assertThat(snapshot.relativeError()).isEqualTo(1 / 128.0).isEqualTo(histogram.relativeError());
        assertThat(snapshot.unit()).isEqualTo(512);
        assertThat(snapshot.highestTrackable())
                .isBetween(1_000_000L, 1_010_000L)
                .isEqualTo(histogram.highestTrackable());
        assertThat(PerCpuHistogram.builder()
                        .lowestDiscernible(1000)
                        .highestTrackable(2000)
                        .logLinear()
                        .unitBits())
                .isEqualTo(9);
        assertThat(PerCpuHistogram.builder().relativeError(1).logLinear().precisionBits())
                .isZero();
        assertThat(PerCpuHistogram.builder()
                        .relativeError(1 / 128.0)
                        .logLinear()
                        .precisionBits())
                .isEqualTo(7);
        assertThat(PerCpuHistogram.builder().relativeError(0.00002).logLinear().precisionBits())
                .isEqualTo(16);
    }

    @Test
    void theWidestBucketsThatThereCanBe() {
        BucketLayout layout = PerCpuHistogram.builder()
                .precisionBits(9)
                .lowestDiscernible(1L << 52)
                .layout();
        assertThat(layout.lowest(2)).isEqualTo(1L << 52);
        assertThat(layout.indexOf(Long.MAX_VALUE)).isEqualTo(layout.overflow() - 1);
        assertThat(layout.highestTrackable()).isEqualTo(Long.MAX_VALUE);
    }
}

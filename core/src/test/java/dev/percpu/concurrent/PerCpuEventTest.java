package dev.percpu.concurrent;

import static dev.percpu.concurrent.PerCpuEvent.Argument.FIRST;
import static dev.percpu.concurrent.PerCpuEvent.Argument.SECOND;
import static dev.percpu.concurrent.PerCpuEvent.Argument.THIRD;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PerCpuEventTest {
    private final PerCpuCounter count = new PerCpuCounter();
    private final PerCpuCounter bytes = new PerCpuCounter();
    private final PerCpuDoubleCounter seconds = new PerCpuDoubleCounter();
    private final PerCpuHistogram latency =
            PerCpuHistogram.builder().name("latency").highestTrackable(1000).build();
    private final PerCpuAccumulator slowest = PerCpuAccumulator.maximum();
    private final PerCpuAccumulator fastest = PerCpuAccumulator.minimum();

    private static EventBuilder named(String name) {
        return PerCpuEvent.builder().name(name);
    }

    @Test
    void updatesAllVariables() {
        PerCpuEvent served = named("served")
                .increment(count)
                .add(bytes, FIRST)
                .record(latency, SECOND)
                .accumulate(slowest, SECOND)
                .accumulate(fastest, SECOND)
                .add(seconds, THIRD)
                .build();
        served.record(100, 7, 0.5);
        served.record(200, 9, 1.25);
        served.record(-50, 8, -0.25);
        assertThat(count.sum()).isEqualTo(3);
        assertThat(bytes.sum()).isEqualTo(250);
        assertThat(seconds.sum()).isEqualTo(1.5);
        assertThat(slowest.get()).isEqualTo(9);
        assertThat(fastest.get()).isEqualTo(7);
        HistogramSnapshot snapshot = latency.snapshot();
        assertThat(snapshot.count()).isEqualTo(3);
        assertThat(snapshot.sum()).isEqualTo(24);
        assertThat(snapshot.quantile(0.5)).isEqualTo(8);
        assertThat(served).hasToString("served: takes 2 longs and 1 double, updates 6 variables");
    }

    @Test
    void everyKindOfCall() {
        PerCpuCounter[] longs = {new PerCpuCounter(), new PerCpuCounter(), new PerCpuCounter()};
        PerCpuDoubleCounter[] doubles = {new PerCpuDoubleCounter(), new PerCpuDoubleCounter(), new PerCpuDoubleCounter()
        };
        List<PerCpuEvent> events = new ArrayList<>();
        for (int many = 0; many <= 3; many++) {
            for (int withDoubles = 0; withDoubles <= many; withDoubles++) {
                EventBuilder builder = PerCpuEvent.builder().increment(count);
                for (int at = 0; at < many; at++) {
                    PerCpuEvent.Argument argument =
                            List.of(FIRST, SECOND, THIRD).get(at);
                    if (at < many - withDoubles) {
                        builder.add(longs[at], argument);
                    } else {
                        builder.add(doubles[at], argument);
                    }
                }
                events.add(builder.build());
            }
        }
        events.get(0).record();
        events.get(1).record(1);
        events.get(2).record(2.5);
        events.get(3).record(10, 20);
        events.get(4).record(100, 0.25);
        events.get(5).record(10.5, 20.5);
        events.get(6).record(1000, 2000, 3000);
        events.get(7).record(10_000, 20_000, 1.5);
        events.get(8).record(100_000, 100.5, 200.5);
        events.get(9).record(0.125, 0.5, 0.25);
        assertThat(count.sum()).isEqualTo(10);
        assertThat(longs).extracting(PerCpuCounter::sum).containsExactly(111_111L, 22_020L, 3000L);
        assertThat(doubles).extracting(PerCpuDoubleCounter::sum).containsExactly(13.125, 121.75, 202.25);
    }

    @Test
    void aConstantIsAdded() {
        PerCpuEvent event =
                PerCpuEvent.builder().add(bytes, -1L << 40).increment(count).build();
        event.record();
        event.record();
        assertThat(bytes.sum()).isEqualTo(-1L << 41);
        assertThat(count.sum()).isEqualTo(2);
    }

    /** The fourth and the fifth value of a call are the buckets' indexes. */
    @Test
    void severalHistograms() {
        PerCpuHistogram second = PerCpuHistogram.builder().build();
        PerCpuEvent event = PerCpuEvent.builder()
                .record(latency, FIRST)
                .record(second, SECOND)
                .add(bytes, THIRD)
                .build();
        event.record(5, 600, 7);
        event.record(5000, -1, 8);
        assertThat(latency.snapshot().count()).isEqualTo(2);
        assertThat(latency.snapshot().quantile(0)).isEqualTo(5);
        assertThat(latency.snapshot().sum()).isEqualTo(5005);
        assertThat(second.snapshot().count()).isEqualTo(2);
        assertThat(second.snapshot().sum()).isEqualTo(599);
        assertThat(bytes.sum()).isEqualTo(15);
        PerCpuEvent four = PerCpuEvent.builder()
                .record(latency, FIRST)
                .record(second, FIRST)
                .record(PerCpuHistogram.builder().build(), FIRST)
                .record(PerCpuHistogram.builder().build(), FIRST)
                .build();
        four.record(900);
        assertThat(latency.snapshot().count()).isEqualTo(3);
        assertThat(second.snapshot().count()).isEqualTo(3);
    }

    /** What an observation of a histogram with given bounds is: its bucket is counted, its value added. */
    @Test
    void elementsOfArrays() {
        PerCpuCounterArray buckets = new PerCpuCounterArray("buckets", 3);
        PerCpuEvent observed = PerCpuEvent.builder()
                .increment(buckets, FIRST)
                .add(seconds, SECOND)
                .build();
        observed.record(2, 0.5);
        observed.record(0, 0.25);
        observed.record(2, 4);
        assertThat(buckets.sums()).containsExactly(1, 0, 2);
        assertThat(seconds.sum()).isEqualTo(4.75);
        for (long outside : new long[] {-1, 3, 1L << 32, Long.MIN_VALUE}) {
            assertThatThrownBy(() -> observed.record(outside, 1.0))
                    .isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessageContaining(String.valueOf(outside));
        }
        assertThat(seconds.sum()).as("nothing else is updated").isEqualTo(4.75);
        PerCpuEvent added = PerCpuEvent.builder()
                .add(buckets, FIRST, SECOND)
                .increment(buckets, THIRD)
                .record(latency, SECOND)
                .build();
        added.record(1, 500, 0);
        assertThat(buckets.sums()).containsExactly(2, 500, 2);
        assertThat(latency.snapshot().sum()).isEqualTo(500);
    }

    @Test
    void extremesOfAllSigns() {
        PerCpuEvent event = PerCpuEvent.builder()
                .accumulate(slowest, FIRST)
                .accumulate(fastest, FIRST)
                .build();
        assertThat(slowest.get()).isEqualTo(Long.MIN_VALUE);
        assertThat(fastest.get()).isEqualTo(Long.MAX_VALUE);
        long greatest = Long.MIN_VALUE;
        long least = Long.MAX_VALUE;
        for (long value : new long[] {Long.MIN_VALUE + 1, -5, -7, 0, -1, 3, Long.MAX_VALUE - 1, 2, Long.MIN_VALUE}) {
            event.record(value);
            greatest = Math.max(greatest, value);
            least = Math.min(least, value);
            assertThat(slowest.get()).isEqualTo(greatest);
            assertThat(fastest.get()).isEqualTo(least);
        }
        assertThat(slowest.getThenReset()).isEqualTo(Long.MAX_VALUE - 1);
        event.record(-3);
        assertThat(slowest.get()).isEqualTo(-3);
    }

    @Test
    void accumulatorsWithFunctionsOfTheirOwn() {
        PerCpuAccumulator product = new PerCpuAccumulator((left, right) -> left * right, 1);
        PerCpuDoubleAccumulator least = new PerCpuDoubleAccumulator(Math::min, Double.POSITIVE_INFINITY);
        PerCpuEvent event = PerCpuEvent.builder()
                .accumulate(product, FIRST)
                .accumulate(least, SECOND)
                .increment(count)
                .build();
        event.record(6, 2.5);
        event.record(7, 1.5);
        assertThat(product.get()).isEqualTo(42);
        assertThat(least.get()).isEqualTo(1.5);
        assertThat(count.sum()).isEqualTo(2);
    }

    @Test
    void otherArgumentsThanTheUpdatesUse() {
        PerCpuEvent event = named("served")
                .increment(count)
                .add(bytes, FIRST)
                .add(seconds, SECOND)
                .build();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> event.record(1.0, 2.0))
                .withMessage("served takes 1 long and 1 double, not 2 doubles");
        assertThatIllegalArgumentException()
                .isThrownBy(event::record)
                .withMessage("served takes 1 long and 1 double, not no argument");
        assertThatIllegalArgumentException().isThrownBy(() -> event.record(1, 2, 3));
        assertThatIllegalArgumentException().isThrownBy(() -> event.record(1));
        assertThatIllegalArgumentException().isThrownBy(() -> event.record(1.0));
        assertThatIllegalArgumentException().isThrownBy(() -> event.record(1, 2, 3.0));
        assertThatIllegalArgumentException().isThrownBy(() -> event.record(1, 2.0, 3.0));
        assertThatIllegalArgumentException().isThrownBy(() -> event.record(1.0, 2.0, 3.0));
        assertThat(count.sum()).isZero();
        event.record(1, 2.0);
        assertThat(count.sum()).isEqualTo(1);
    }

    @Test
    void longsWhereDoublesAreExpected() {
        PerCpuDoubleCounter[] sums = {new PerCpuDoubleCounter(), new PerCpuDoubleCounter(), new PerCpuDoubleCounter()};
        PerCpuEvent one = PerCpuEvent.builder().add(sums[0], FIRST).build();
        one.record(5);
        PerCpuEvent three = PerCpuEvent.builder()
                .add(sums[0], FIRST)
                .add(sums[1], SECOND)
                .add(sums[2], THIRD)
                .build();
        three.record(1, 2, 3);
        three.record(10, 20, 30.5);
        three.record(100, 200.5, 300.5);
        assertThat(sums).extracting(PerCpuDoubleCounter::sum).containsExactly(116.0, 222.5, 334.0);
        PerCpuEvent last = PerCpuEvent.builder()
                .add(bytes, FIRST)
                .add(sums[0], SECOND)
                .add(sums[1], THIRD)
                .build();
        last.record(1, 2, 3);
        last.record(10, 20, 30.5);
        assertThat(bytes.sum()).isEqualTo(11);
        assertThat(sums).extracting(PerCpuDoubleCounter::sum).containsExactly(138.0, 256.0, 334.0);
        PerCpuEvent third = PerCpuEvent.builder()
                .add(bytes, FIRST)
                .add(count, SECOND)
                .add(sums[2], THIRD)
                .build();
        third.record(1, 2, 3);
        assertThat(bytes.sum()).isEqualTo(12);
        assertThat(count.sum()).isEqualTo(2);
        assertThat(sums[2].sum()).isEqualTo(337);
    }

    @Test
    void aFunctionThatThrows() {
        PerCpuAccumulator throwing = new PerCpuAccumulator(
                (left, right) -> {
                    throw new UnsupportedOperationException("on purpose");
                },
                0);
        PerCpuEvent event = PerCpuEvent.builder()
                .accumulate(throwing, FIRST)
                .increment(count)
                .build();
        assertThatThrownBy(() -> event.record(1)).hasMessage("on purpose");
        assertThat(count.sum()).isEqualTo(1);
    }
}

package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.NoSuchElementException;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What snapshots say about values, beside the values themselves. */
@Tag("once")
@net.jqwik.api.Tag("once")
class QuantilesTest {
    /** Checks what needs the exact values, in rising order. */
    static void verifyQuantiles(HistogramSnapshot snapshot, long[] sorted) {
        boolean explicit = snapshot.bounds().length > 0;
        BucketLayout layout = explicit
                ? ExplicitBuckets.of("buckets", snapshot.bounds())
                : LogLinearBuckets.upTo(
                        snapshot.precisionBits(),
                        Long.numberOfTrailingZeros(snapshot.unit()),
                        snapshot.highestTrackable());
        long greatest = sorted[sorted.length - 1];
        assertThat(snapshot.min()).isEqualTo(layout.lowest(layout.indexOf(sorted[0])));
        assertThat(snapshot.max()).isEqualTo(layout.highest(layout.indexOf(greatest)));
        for (int hundredth = 0; hundredth <= 100; hundredth++) {
            // The rank in whole numbers, of which none is rounded.
            int rank = Math.max(1, (int) ((hundredth * (long) sorted.length + 99) / 100));
            long exact = sorted[rank - 1];
            long reported = snapshot.quantile(hundredth / 100.0);
            assertThat(reported).as("quantile %s", hundredth / 100.0).isEqualTo(layout.highest(layout.indexOf(exact)));
            assertThat(reported).isGreaterThanOrEqualTo(exact);
            if (!explicit
                    && exact >= 0
                    && exact <= snapshot.highestTrackable()
                    && reported - exact >= snapshot.unit()) {
                assertThat((double) (reported - exact) / exact).isLessThanOrEqualTo(snapshot.relativeError());
            }
        }
    }

    @Property
    void quantilesAreWithinTheError(@ForAll("layouts") BucketLayout layout, @ForAll("values") long[] values) {
        verifyQuantiles(
                snapshotOf(layout, values), Arrays.stream(values).sorted().toArray());
    }

    @Property
    void cumulativeCountsMissNoMoreThanTheError(
            @ForAll("layouts") BucketLayout layout, @ForAll("values") long[] values, @ForAll("values") long[] bounds) {
        HistogramSnapshot snapshot = snapshotOf(layout, values);
        long[] rising = Arrays.stream(bounds).sorted().distinct().toArray();
        long[] cumulative = snapshot.cumulativeCounts(rising);
        for (int i = 0; i < rising.length; i++) {
            long bound = rising[i];
            int index = layout.indexOf(bound);
            // The last value that is certainly counted: the bound if its bucket ends there, else the bucket's before.
            boolean ends = layout.highest(index) == bound;
            long counted = ends ? bound : index == 0 ? Long.MIN_VALUE : layout.highest(index - 1);
            long expected = !ends && index == 0
                    ? 0
                    : Arrays.stream(values).filter(value -> value <= counted).count();
            assertThat(cumulative[i]).as("values up to %d", bound).isEqualTo(expected);
        }
    }

    @Test
    void cumulativeCountsOfFixedBounds() {
        HistogramSnapshot snapshot =
                snapshotOf(LogLinearBuckets.upTo(2, 0, 1000), new long[] {-5, 0, 7, 8, 9, 100, 127, 128, 5000});
        // 7 ends a bucket, 8 is in the one of 8 and 9, 127 ends one, and 1000 falls into 896 to 1023.
        assertThat(snapshot.cumulativeCounts(-2, -1, 0, 7, 8, 9, 127, 1000, 1023, Long.MAX_VALUE))
                .containsExactly(0, 1, 2, 3, 3, 5, 7, 8, 8, 9);
        assertThat(snapshot.cumulativeCounts()).isEmpty();
        assertThat(snapshot.cumulativeCounts(Long.MIN_VALUE)).containsExactly(0);
        assertThatThrownBy(() -> snapshot.cumulativeCounts(1, 5, 5))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("5 follows 5");
    }

    /** Prometheus' le: a bound counts in the values that are equal to it. */
    @Test
    void countsUpToBoundsThatTheUserGave() {
        HistogramSnapshot snapshot =
                snapshotOf(ExplicitBuckets.of("buckets", 10, 20, 50), -3, 0, 10, 11, 20, 50, 51, Long.MAX_VALUE);
        assertThat(snapshot.cumulativeCounts(snapshot.bounds())).containsExactly(3, 5, 6);
        assertThat(snapshot.count()).isEqualTo(8);
        assertThat(snapshot.underflow()).isZero();
        assertThat(snapshot.overflow()).isEqualTo(2);
        assertThat(snapshot.buckets())
                .containsExactly(
                        new HistogramSnapshot.Bucket(Long.MIN_VALUE, 10, 3),
                        new HistogramSnapshot.Bucket(11, 20, 2),
                        new HistogramSnapshot.Bucket(21, 50, 1),
                        new HistogramSnapshot.Bucket(51, Long.MAX_VALUE, 2));
        assertThat(snapshot.quantiles(0, 0.5, 0.7, 1)).containsExactly(10, 20, 50, Long.MAX_VALUE);
        assertThat(snapshot.min()).isEqualTo(Long.MIN_VALUE);
        assertThat(snapshot.max()).isEqualTo(Long.MAX_VALUE);
        assertThat(snapshot.highestTrackable()).isEqualTo(50);
        assertThat(snapshot.relativeError()).isInfinite();
        // A bound of somebody else's may miss values, and counts none that is above it.
        assertThat(snapshot.cumulativeCounts(9, 19, 49, 1_000)).containsExactly(0, 3, 5, 6);
        assertThatThrownBy(snapshot::unit)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("a histogram with bounds has neither a precision nor a unit: ask bounds(), which are"
                        + " [10, 20, 50]");
        assertThatThrownBy(snapshot::precisionBits).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> snapshot.plus(snapshotOf(ExplicitBuckets.of("buckets", 10, 20, 51))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[10, 20, 51]");
    }

    @Test
    void countsBeyondALongHaveNoQuantiles() {
        LogLinearBuckets layout = LogLinearBuckets.upTo(2, 0, 1000);
        long[] counts = new long[layout.size()];
        counts[layout.indexOf(1)] = Long.MAX_VALUE;
        HistogramSnapshot most = new HistogramSnapshot(layout, counts.clone(), 0);
        assertThat(most.quantile(0.5)).isEqualTo(1);
        assertThat(most.quantile(1)).isEqualTo(1);
        counts[layout.indexOf(1)] = 1L << 60;
        counts[layout.indexOf(2)] = 1;
        assertThat(new HistogramSnapshot(layout, counts.clone(), 0).quantile(1))
                .as("the last of more values than a double can tell apart")
                .isEqualTo(2);
        counts[layout.indexOf(1)] = Long.MAX_VALUE;
        counts[layout.indexOf(2)] = Long.MAX_VALUE;
        HistogramSnapshot wrapped = new HistogramSnapshot(layout, counts.clone(), 0);
        assertThatThrownBy(() -> wrapped.quantile(0.5))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining("wrapped");
        assertThat(wrapped.toString()).contains("more than can be counted");
        // Once more around, so that the total looks as if there were one value.
        counts[layout.indexOf(3)] = 3;
        HistogramSnapshot wrappedToOne = new HistogramSnapshot(layout, counts.clone(), 0);
        assertThat(wrappedToOne.count()).isEqualTo(1);
        assertThatThrownBy(() -> wrappedToOne.quantile(1)).isInstanceOf(ArithmeticException.class);
        // In one bucket, and never in the total up to it.
        counts[layout.indexOf(2)] = Long.MIN_VALUE + 5;
        counts[layout.indexOf(3)] = 0;
        HistogramSnapshot wrappedInABucket = new HistogramSnapshot(layout, counts.clone(), 0);
        assertThat(wrappedInABucket.count()).isEqualTo(4);
        assertThatThrownBy(() -> wrappedInABucket.quantile(0.5)).isInstanceOf(ArithmeticException.class);
    }

    @Test
    void anEmptySnapshotHasNoQuantiles() {
        HistogramSnapshot empty = snapshotOf(LogLinearBuckets.upTo(3, 0, 100));
        assertThat(empty.isEmpty()).isTrue();
        assertThat(empty.count()).isZero();
        assertThat(empty.sum()).isZero();
        assertThat(empty.mean()).isZero();
        assertThat(empty.buckets()).isEmpty();
        assertThat(empty.cumulativeCounts(1, 2)).containsExactly(0, 0);
        assertThat(empty.toString()).isEqualTo("no values");
        assertThatThrownBy(() -> empty.quantile(0.5))
                .isInstanceOf(NoSuchElementException.class)
                .hasMessageContaining("isEmpty()");
        assertThatThrownBy(empty::min).isInstanceOf(NoSuchElementException.class);
        assertThatThrownBy(empty::max).isInstanceOf(NoSuchElementException.class);
    }

    @Test
    void quantilesOutOfRangeAreRefused() {
        HistogramSnapshot snapshot = snapshotOf(LogLinearBuckets.upTo(3, 0, 100), 1);
        for (double quantile : new double[] {-0.1, 1.1, 99, Double.NaN}) {
            assertThatThrownBy(() -> snapshot.quantile(quantile))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("not " + quantile);
        }
    }

    @Test
    void theMeanIsOfTheExactSum() {
        assertThat(snapshotOf(LogLinearBuckets.upTo(0, 0, 1000), 999, 1000, 1001, 1002)
                        .mean())
                .isEqualTo(1000.5);
    }

    @Test
    void snapshotsOfTheSameBucketsAdd() {
        LogLinearBuckets layout = LogLinearBuckets.upTo(3, 0, 100);
        HistogramSnapshot first = snapshotOf(layout, 1, 200);
        HistogramSnapshot both = first.plus(snapshotOf(layout, 1, -3, 50));
        assertThat(first.buckets()).as("the first stays as it was").hasSize(2);
        assertThat(both.count()).isEqualTo(5);
        assertThat(both.sum()).isEqualTo(249);
        assertThat(both.buckets()).extracting(HistogramSnapshot.Bucket::count).containsExactly(1L, 2L, 1L, 1L);
        assertThat(both.toString())
                .isEqualTo("5 values from " + Long.MIN_VALUE + " to " + Long.MAX_VALUE + ", median 1, sum 249");
        assertThatThrownBy(() -> both.plus(snapshotOf(LogLinearBuckets.upTo(4, 0, 100))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("8 for each power of two")
                .hasMessageContaining("16 for each power of two");
    }

    private static HistogramSnapshot snapshotOf(BucketLayout layout, long... values) {
        long[] counts = new long[layout.size()];
        for (long value : values) {
            counts[layout.indexOf(value)]++;
        }
        return new HistogramSnapshot(layout, counts, Arrays.stream(values).sum());
    }

    @Provide
    Arbitrary<BucketLayout> layouts() {
        Arbitrary<BucketLayout> explicit = value().filter(bound -> bound < Long.MAX_VALUE)
                .set()
                .ofMinSize(1)
                .ofMaxSize(20)
                .map(bounds -> ExplicitBuckets.of(
                        "buckets",
                        bounds.stream().mapToLong(Long::longValue).sorted().toArray()));
        Arbitrary<BucketLayout> logLinear = Combinators.combine(
                        Arbitraries.integers().between(0, 10),
                        Arbitraries.integers().between(0, 10),
                        Arbitraries.integers().between(12, 62))
                .as((precisionBits, unitBits, power) -> LogLinearBuckets.upTo(precisionBits, unitBits, 1L << power));
        return Arbitraries.oneOf(logLinear, explicit);
    }

    @Provide
    Arbitrary<long[]> values() {
        return value().list()
                .ofMinSize(1)
                .ofMaxSize(100)
                .map(values -> values.stream().mapToLong(Long::longValue).toArray());
    }

    private static Arbitrary<Long> value() {
        return Combinators.combine(Arbitraries.integers().between(0, 63), Arbitraries.longs())
                .as((shift, bits) -> bits >> shift);
    }
}

package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.stream.LongStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Which of the buckets with given bounds a value belongs to. */
@Tag("once")
@net.jqwik.api.Tag("once")
class ExplicitBucketsTest {
    @Property
    void aValueBelongsToTheLowestBoundThatIsNotBelowIt(@ForAll("bounds") long[] bounds, @ForAll("values") long value) {
        verify(ExplicitBuckets.of("buckets", bounds), bounds, value);
    }

    /** Where searches could go one too far, or not far enough. */
    @Property
    void aBoundAndItsNeighbours(@ForAll("bounds") long[] bounds) {
        ExplicitBuckets buckets = ExplicitBuckets.of("buckets", bounds);
        for (int i = 0; i < bounds.length; i++) {
            assertThat(buckets.indexOf(bounds[i])).isEqualTo(i);
            assertThat(buckets.indexOf(bounds[i] + 1)).isEqualTo(i + 1);
            assertThat(buckets.highest(i)).isEqualTo(bounds[i]);
            assertThat(buckets.lowest(i + 1)).isEqualTo(bounds[i] + 1);
        }
        for (long value : new long[] {Long.MIN_VALUE, -1, 0, 1, Long.MAX_VALUE}) {
            verify(buckets, bounds, value);
        }
        assertThat(buckets.lowest(0)).isEqualTo(Long.MIN_VALUE);
        assertThat(buckets.highest(buckets.overflow())).isEqualTo(Long.MAX_VALUE);
        assertThat(buckets.highestTrackable()).isEqualTo(bounds[bounds.length - 1]);
        assertThat(buckets.bounds()).isEqualTo(bounds);
        assertThat(buckets.sameAs(ExplicitBuckets.of("buckets", bounds))).isTrue();
    }

    private static void verify(ExplicitBuckets buckets, long[] bounds, long value) {
        int index = buckets.indexOf(value);
        assertThat(index)
                .as("index of %d in %s", value, Arrays.toString(bounds))
                .isEqualTo((int)
                        Arrays.stream(bounds).filter(bound -> bound < value).count());
        assertThat(value).isBetween(buckets.lowest(index), buckets.highest(index));
    }

    /** From one to many between two powers of two, so that searches of each length are seen at every value. */
    @Test
    void everyValueOfRowsOfEveryLength() {
        for (int count = 1; count <= 70; count++) {
            for (int step = 1; step <= 7; step++) {
                int width = step;
                long[] bounds =
                        LongStream.range(0, count).map(i -> 60 + i * width).toArray();
                ExplicitBuckets buckets = ExplicitBuckets.of("buckets", bounds);
                int expected = 0;
                for (long value = -3; value < bounds[count - 1] + 70; value++) {
                    while (expected < count && bounds[expected] < value) {
                        expected++;
                    }
                    if (buckets.indexOf(value) != expected) {
                        throw new AssertionError(value + " is in bucket " + buckets.indexOf(value) + ", not " + expected
                                + ", of " + buckets);
                    }
                }
            }
        }
    }

    @Test
    void saysWhatItIs() {
        assertThat(ExplicitBuckets.of("buckets", 10, 20, 50))
                .hasToString("4 buckets with the upper bounds [10, 20, 50]");
        assertThat(ExplicitBuckets.of("buckets", LongStream.rangeClosed(1, 100).toArray()))
                .hasToString("101 buckets with the upper bounds 1, 2, ... 100");
        assertThat(ExplicitBuckets.of("buckets", 10).relativeError()).isInfinite();
    }

    @Test
    void knowsItsLike() {
        ExplicitBuckets buckets = ExplicitBuckets.of("buckets", 10, 20, 50);
        assertThat(buckets.sameAs(ExplicitBuckets.of("buckets", 10, 20, 50))).isTrue();
        assertThat(buckets.sameAs(ExplicitBuckets.of("buckets", 10, 20, 51))).isFalse();
        assertThat(buckets.sameAs(ExplicitBuckets.of("buckets", 10, 20))).isFalse();
        assertThat(buckets.sameAs(LogLinearBuckets.upTo(2, 0, 100))).isFalse();
        assertThat(LogLinearBuckets.upTo(2, 0, 100).sameAs(buckets)).isFalse();
    }

    @Test
    void refusesWhatAreNoBounds() {
        assertThatThrownBy(() -> ExplicitBuckets.of("buckets"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("buckets: bounds() needs at least one upper bound, such as bounds(10, 100)");
        assertThatThrownBy(() -> ExplicitBuckets.of("buckets", 1, 5, 5))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("buckets: each bound must be greater than the one before, but 5 follows 5");
        assertThatThrownBy(() -> ExplicitBuckets.of("buckets", 1, 5, 4))
                .hasMessage("buckets: each bound must be greater than the one before, but 4 follows 5");
        assertThatThrownBy(() -> ExplicitBuckets.of("buckets", 1, Long.MAX_VALUE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("buckets: Long.MAX_VALUE cannot be a bound");
    }

    @Provide
    Arbitrary<long[]> bounds() {
        Arbitrary<long[]> anywhere = longs().set()
                .ofMinSize(1)
                .ofMaxSize(40)
                .map(bounds ->
                        bounds.stream().mapToLong(Long::longValue).sorted().toArray());
        // As users give them: by factors, or by steps.
        Arbitrary<long[]> factors = Combinators.combine(
                        Arbitraries.integers().between(1, 30),
                        Arbitraries.longs().between(1, 1000),
                        Arbitraries.doubles().between(1.1, 10))
                .as((count, first, factor) -> LongStream.iterate(first, bound -> (long) Math.ceil(bound * factor) + 1)
                        .limit(count)
                        .takeWhile(bound -> 0 < bound && bound < Long.MAX_VALUE / 2)
                        .toArray());
        Arbitrary<long[]> steps = Combinators.combine(
                        Arbitraries.integers().between(1, 100),
                        Arbitraries.longs().between(-1000, 1000),
                        Arbitraries.longs().between(1, 1000))
                .as((count, first, step) -> LongStream.iterate(first, bound -> bound + step)
                        .limit(count)
                        .toArray());
        return Arbitraries.oneOf(anywhere, factors, steps);
    }

    @Provide
    Arbitrary<Long> values() {
        return Arbitraries.oneOf(longs(), Arbitraries.of(Long.MAX_VALUE, Long.MIN_VALUE), Arbitraries.longs());
    }

    /** Values of each size alike, and negative ones. */
    private static Arbitrary<Long> longs() {
        return Combinators.combine(Arbitraries.integers().between(0, 63), Arbitraries.longs())
                .as((shift, bits) -> bits >> shift)
                .filter(value -> value < Long.MAX_VALUE);
    }
}

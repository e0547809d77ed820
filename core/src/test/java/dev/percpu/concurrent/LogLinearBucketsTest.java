package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Which bucket a value belongs to, for every layout that the builder makes. */
@Tag("once")
@net.jqwik.api.Tag("once")
class LogLinearBucketsTest {
    /** All values of small ranges, so that every edge is seen. */
    @Test
    void theFirstHundredThousandValuesInEverySmallLayout() {
        for (int precisionBits = 0; precisionBits <= 12; precisionBits++) {
            for (int unitBits = 0; unitBits <= 6; unitBits++) {
                LogLinearBuckets buckets = LogLinearBuckets.upTo(precisionBits, unitBits, 50_000);
                long end = buckets.highest(buckets.overflow() - 1);
                int expected = 1;
                for (long value = 0; value <= 100_000; value++) {
                    int index = buckets.indexOf(value);
                    if (value > end) {
                        assertThat(index).isEqualTo(buckets.overflow());
                        continue;
                    }
                    // The next bucket begins where this one ends, and not before.
                    if (value > buckets.highest(expected)) {
                        expected++;
                    }
                    if (index != expected || value < buckets.lowest(index) || value > buckets.highest(index)) {
                        throw new AssertionError(value + " is in bucket " + index + ", not " + expected + ", of "
                                + buckets + ": " + buckets.lowest(index) + " to " + buckets.highest(index));
                    }
                }
                assertThat(expected).as("the last bucket is used").isEqualTo(buckets.overflow() - 1);
            }
        }
    }

    @Property
    void aValueIsInTheBucketThatItsIndexNames(
            @ForAll("layouts") LogLinearBuckets buckets, @ForAll("values") long value) {
        int index = buckets.indexOf(value);
        assertThat(index).isBetween(0, buckets.size() - 1);
        assertThat(value).isBetween(buckets.lowest(index), buckets.highest(index));
    }

    @Property
    void theBoundsOfABucketAreInIt(@ForAll("layouts") LogLinearBuckets buckets, @ForAll("values") long value) {
        int index = buckets.indexOf(value);
        assertThat(buckets.indexOf(buckets.lowest(index))).isEqualTo(index);
        assertThat(buckets.indexOf(buckets.highest(index))).isEqualTo(index);
    }

    @Property
    void bucketsFollowEachOtherWithoutAGap(@ForAll("layouts") LogLinearBuckets buckets, @ForAll("values") long value) {
        int index = buckets.indexOf(value);
        if (index > 0) {
            assertThat(buckets.highest(index - 1) + 1).isEqualTo(buckets.lowest(index));
        }
        if (index < buckets.overflow()) {
            assertThat(buckets.lowest(index + 1) - 1).isEqualTo(buckets.highest(index));
        }
    }

    @Property
    void theIndexRisesWithTheValue(
            @ForAll("layouts") LogLinearBuckets buckets, @ForAll("values") long one, @ForAll("values") long other) {
        assertThat(buckets.indexOf(Math.min(one, other))).isLessThanOrEqualTo(buckets.indexOf(Math.max(one, other)));
    }

    @Property
    void noBucketOfTheRangeIsWiderThanAUnitOrTheRelativeError(
            @ForAll("layouts") LogLinearBuckets buckets, @ForAll("values") long value) {
        int index = buckets.indexOf(value);
        if (index > 0 && index < buckets.overflow()) {
            long lowest = buckets.lowest(index);
            long difference = buckets.highest(index) - lowest;
            if (difference >= 1L << buckets.unitBits()) {
                assertThat((double) difference / lowest).isLessThanOrEqualTo(buckets.relativeError());
            }
        }
    }

    @Property
    void theRangeReachesTheHighestValueThatWasAskedFor(
            @ForAll("layouts") LogLinearBuckets buckets, @ForAll("values") long value) {
        LogLinearBuckets upToValue =
                LogLinearBuckets.upTo(buckets.precisionBits(), buckets.unitBits(), value & Long.MAX_VALUE);
        int last = upToValue.overflow() - 1;
        assertThat(upToValue.indexOf(value & Long.MAX_VALUE)).isEqualTo(last);
        if (upToValue.highest(last) < Long.MAX_VALUE) {
            assertThat(upToValue.indexOf(upToValue.highest(last) + 1)).isEqualTo(upToValue.overflow());
        }
    }

    @Test
    void extremeValues() {
        LogLinearBuckets all = LogLinearBuckets.upTo(5, 0, Long.MAX_VALUE);
        assertThat(all.indexOf(Long.MAX_VALUE)).isEqualTo(all.overflow() - 1);
        assertThat(all.highest(all.overflow() - 1)).isEqualTo(Long.MAX_VALUE);
        for (long negative : new long[] {-1, -2, Long.MIN_VALUE, Long.MIN_VALUE + 1}) {
            assertThat(all.indexOf(negative)).isEqualTo(LogLinearBuckets.UNDERFLOW);
        }
        assertThat(all.indexOf(0)).isEqualTo(1);
        assertThat(all.indexOf(1)).isEqualTo(2);
        assertThat(all.lowest(LogLinearBuckets.UNDERFLOW)).isEqualTo(Long.MIN_VALUE);
        assertThat(all.highest(LogLinearBuckets.UNDERFLOW)).isEqualTo(-1);

        LogLinearBuckets thousand = LogLinearBuckets.upTo(5, 0, 1000);
        assertThat(thousand.highest(thousand.overflow() - 1)).isEqualTo(1007);
        assertThat(thousand.indexOf(1008)).isEqualTo(thousand.overflow());
        assertThat(thousand.indexOf(Long.MAX_VALUE)).isEqualTo(thousand.overflow());
        assertThat(thousand.lowest(thousand.overflow())).isEqualTo(1008);
        assertThat(thousand.highest(thousand.overflow())).isEqualTo(Long.MAX_VALUE);
    }

    @Provide
    Arbitrary<LogLinearBuckets> layouts() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 16),
                        Arbitraries.integers().between(0, 45),
                        Arbitraries.longs().greaterOrEqual(2))
                .as((precisionBits, unitBits, highest) ->
                        LogLinearBuckets.upTo(precisionBits, unitBits, Math.max(highest, 2L << unitBits)));
    }

    /** Values of each size alike, and those around powers of two, where buckets change their width. */
    @Provide
    Arbitrary<Long> values() {
        Arbitrary<Long> near = Combinators.combine(
                        Arbitraries.integers().between(0, 63),
                        Arbitraries.longs().between(-2, 2))
                .as((power, distance) -> (1L << power) + distance);
        Arbitrary<Long> anywhere = Combinators.combine(Arbitraries.integers().between(0, 63), Arbitraries.longs())
                .as((shift, bits) -> bits >>> shift);
        return Arbitraries.oneOf(near, anywhere, Arbitraries.longs());
    }
}

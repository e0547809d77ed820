package dev.percpu.prometheus;

import static org.assertj.core.api.Assertions.assertThat;

import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.NativeHistogramBuckets;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each value is in the bucket that the client puts it into. */
@Tag("once")
@net.jqwik.api.Tag("once")
class NativeSchemaTest {
    static IntStream schemas() {
        return IntStream.rangeClosed(NativeSchema.COARSEST, NativeSchema.FINEST);
    }

    /** What the client says about a single value. */
    private static int clients(int schema, double value) {
        io.prometheus.metrics.core.metrics.Histogram histogram = io.prometheus.metrics.core.metrics.Histogram.builder()
                .name("one")
                .nativeOnly()
                .nativeInitialSchema(schema)
                .nativeMinZeroThreshold(0)
                .nativeMaxZeroThreshold(0)
                .nativeMaxNumberOfBuckets(0)
                .withoutExemplars()
                .build();
        histogram.observe(value);
        HistogramDataPointSnapshot snapshot =
                histogram.collect().getDataPoints().getFirst();
        NativeHistogramBuckets buckets = snapshot.getNativeBucketsForPositiveValues();
        assertThat(buckets.size()).as("buckets of %s", value).isOne();
        return buckets.getBucketIndex(0);
    }

    private static void verify(int schema, double value) {
        assertThat(NativeSchema.of(schema).indexOf(value))
                .as("bucket of %s in schema %d", value, schema)
                .isEqualTo(clients(schema, value));
    }

    private static DoubleStream around(double value) {
        return DoubleStream.of(value, Math.nextUp(value), Math.nextDown(value)).filter(near -> near > 0);
    }

    @ParameterizedTest
    @MethodSource("schemas")
    void powersOfTwoAndTheirNeighbours(int schema) {
        IntStream.rangeClosed(Double.MIN_EXPONENT - 52, Double.MAX_EXPONENT)
                .mapToDouble(exponent -> Math.scalb(1.0, exponent))
                .flatMap(NativeSchemaTest::around)
                .forEach(value -> verify(schema, value));
    }

    @ParameterizedTest
    @MethodSource("schemas")
    void everyBoundOfSomePowersOfTwoAndItsNeighbours(int schema) {
        int perPower = schema > 0 ? 1 << schema : 1;
        for (int power : new int[] {-1021, -40, -1, 0, 1, 39, 1000}) {
            for (int i = 0; i <= perPower; i++) {
                int index = schema > 0 ? power * perPower + i : power >> -schema;
                around(NativeSchema.of(schema).upperBound(index)).forEach(value -> verify(schema, value));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("schemas")
    void aBoundIsTheLastValueOfItsBucket(int schema) {
        NativeSchema tested = NativeSchema.of(schema);
        int last = tested.indexOf(Double.MAX_VALUE);
        for (int index = tested.indexOf(Double.MIN_VALUE); index <= last; index++) {
            double bound = tested.upperBound(index);
            // Of the subnormal numbers there are fewer than bounds.
            if (bound >= Double.MIN_NORMAL) {
                assertThat(tested.indexOf(bound)).as("of %s", bound).isEqualTo(index);
                assertThat(tested.indexOf(Math.nextUp(bound))).isEqualTo(index + 1);
            }
        }
        assertThat(tested.upperBound(last)).isEqualTo(Double.MAX_VALUE);
        assertThat(tested.upperBound(last + 1)).isInfinite();
    }

    @ParameterizedTest
    @MethodSource("schemas")
    void theEndsOfTheRange(int schema) {
        DoubleStream.of(Double.MIN_VALUE, Double.MIN_NORMAL, Double.MAX_VALUE, Double.POSITIVE_INFINITY)
                .forEach(value -> verify(schema, value));
    }

    @Property(tries = 20_000)
    void anyPositiveValue(@ForAll @IntRange(min = -4, max = 8) int schema, @ForAll("positive") double value) {
        verify(schema, value);
    }

    /** All bit patterns alike: subnormal numbers, exact powers and everything else. */
    @Provide
    Arbitrary<Double> positive() {
        return Arbitraries.longs()
                .between(1, Double.doubleToRawLongBits(Double.POSITIVE_INFINITY))
                .map(Double::longBitsToDouble);
    }

    @Property(tries = 20_000)
    void aCoarserBucketHoldsTheFinerOne(
            @ForAll @IntRange(min = -3, max = 8) int schema, @ForAll("positive") double value) {
        NativeSchema fine = NativeSchema.of(schema);
        assertThat(NativeSchema.coarser(fine.indexOf(value)))
                .isEqualTo(fine.coarser().indexOf(value));
    }

    @Test
    void powersOfTwoAreTheHighestValuesOfTheirBuckets() {
        assertThat(NativeSchema.of(0).indexOf(1)).isZero();
        assertThat(NativeSchema.of(0).indexOf(Math.nextUp(1.0))).isOne();
        assertThat(NativeSchema.of(0).indexOf(2)).isOne();
        assertThat(NativeSchema.of(5).indexOf(2)).isEqualTo(32);
        assertThat(NativeSchema.of(-4).indexOf(65536)).isOne();
        assertThat(NativeSchema.of(-4).indexOf(65537)).isEqualTo(2);
    }
}

package dev.percpu.prometheus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Each value is in the first bucket whose bound is not below it. */
@Tag("once")
@net.jqwik.api.Tag("once")
class ClassicBoundsTest {
    private static void verify(ClassicBounds bounds, double value) {
        double[] upper = bounds.upper();
        int expected = 0;
        while (value > upper[expected]) {
            expected++;
        }
        assertThat(bounds.bucketOf(value)).as("bucket of %s", value).isEqualTo(expected);
    }

    private static void verifyAround(List<Double> list) {
        ClassicBounds bounds = new ClassicBounds(list);
        for (double bound : bounds.upper()) {
            DoubleStream.of(bound, Math.nextUp(bound), Math.nextDown(bound), -bound)
                    .forEach(value -> verify(bounds, value));
        }
        DoubleStream.of(0, -0.0, Double.MIN_VALUE, Double.MAX_VALUE, Double.NEGATIVE_INFINITY, 1, -1)
                .forEach(value -> verify(bounds, value));
    }

    @Property
    void anyBounds(@ForAll("bounds") List<Double> bounds) {
        verifyAround(bounds);
    }

    @Property
    void anyValue(@ForAll("bounds") List<Double> bounds, @ForAll("doubles") double value) {
        verify(new ClassicBounds(bounds), value);
    }

    @Provide
    Arbitrary<List<Double>> bounds() {
        return doubles().list().ofMaxSize(20);
    }

    @Provide
    Arbitrary<Double> doubles() {
        return Arbitraries.oneOf(
                Arbitraries.longs().map(Double::longBitsToDouble).filter(value -> !Double.isNaN(value)),
                Arbitraries.doubles().between(-10, 10),
                Arbitraries.integers().between(-5, 5).map(exponent -> Math.scalb(1.0, exponent)));
    }

    @Test
    void manyBoundsInOnePowerOfTwoAndInMany() {
        verifyAround(IntStream.range(0, 500).mapToObj(i -> 1 + i / 500.0).toList());
        // So close that no number of slices would tell them apart.
        verifyAround(List.of(1.0, Math.nextUp(1.0)));
        verifyAround(IntStream.range(-1070, 1020)
                .mapToObj(exponent -> Math.scalb(1.0, exponent))
                .toList());
    }

    @Test
    void boundsAreInOrderWithoutDuplicatesAndWithInfinity() {
        assertThat(new ClassicBounds(List.of(2.0, -0.0, 1.0, 0.0, 2.0, -3.0)).upper())
                .containsExactly(-3, 0, 1, 2, Double.POSITIVE_INFINITY);
        assertThat(new ClassicBounds(List.of()).upper()).containsExactly(Double.POSITIVE_INFINITY);
    }
}

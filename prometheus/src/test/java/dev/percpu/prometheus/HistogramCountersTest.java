package dev.percpu.prometheus;

import static org.assertj.core.api.Assertions.assertThat;

import io.prometheus.metrics.model.snapshots.Exemplars;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.NativeHistogramBucket;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How much work it is to find a counter, and to add one. */
class HistogramCountersTest {
    private static final int VALUES = 20_000;

    private static HistogramSettings settings(double[] bounds, int schema, double zeroThreshold) {
        return new HistogramSettings(
                new ClassicBounds(DoubleStream.of(bounds).boxed().toList()),
                true,
                NativeSchema.of(schema),
                zeroThreshold,
                0,
                0,
                0,
                System::nanoTime,
                null);
    }

    /** So many bounds, up to 1. */
    private static double[] linear(int bounds) {
        return IntStream.rangeClosed(1, bounds)
                .mapToDouble(bound -> (double) bound / bounds)
                .toArray();
    }

    private static HistogramCounters withValues(HistogramSettings settings, DoubleUnaryOperator value) {
        HistogramCounters counters = HistogramCounters.create(settings);
        for (double uniform : new Random(7).doubles(VALUES).toArray()) {
            double some = value.applyAsDouble(uniform);
            if (counters.counterOf(some) < 0) {
                counters = counters.withCounterFor(some);
            }
        }
        return counters;
    }

    private static LongStream keys(HistogramCounters counters) {
        return Arrays.stream(counters.tableKeys).filter(key -> key != 0);
    }

    /** At how many places a key is looked for until it is found. */
    private static int probes(HistogramCounters counters, long key) {
        int probes = 1;
        int place = counters.firstPlace(key);
        while (counters.tableKeys[place] != key) {
            place = counters.nextPlace(key, place);
            probes++;
        }
        return probes;
    }

    private static void verifyNobodyTriesASecondPlace(HistogramCounters counters) {
        assertThat(keys(counters)).isNotEmpty().allMatch(key -> probes(counters, key) == 1);
    }

    @ParameterizedTest
    @CsvSource({"1, 5", "11, 5", "200, 5", "300, 5", "1000, 5", "200, 2", "1000, 1", "1000, -4", "11, 8"})
    void nobodyTriesASecondPlaceHoweverManyBoundsOfOneKindThereAre(int bounds, int schema) {
        HistogramSettings settings = settings(linear(bounds), schema, 0x1p-128);
        verifyNobodyTriesASecondPlace(withValues(settings, uniform -> uniform));
        verifyNobodyTriesASecondPlace(withValues(settings, uniform -> -uniform));
        verifyNobodyTriesASecondPlace(withValues(settings, uniform -> Math.exp(4 * uniform - 4)));
    }

    /** With a limit of 20 native buckets, for example. */
    @ParameterizedTest
    @ValueSource(ints = {11, 200, 1000})
    void norOnceBucketsAreMerged(int bounds) {
        HistogramCounters counters = withValues(settings(linear(bounds), 5, 0x1p-128), uniform -> 10 * uniform);
        for (int schema = 5; schema > NativeSchema.COARSEST; schema--) {
            counters = counters.scaledDown();
            verifyNobodyTriesASecondPlace(counters);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 5})
    void norWhereTheValuesArePowersOfTwo(int schema) {
        verifyNobodyTriesASecondPlace(withValues(
                settings(new double[0], schema, 0x1p-128), uniform -> Math.scalb(1.0, (int) (40 * uniform))));
    }

    /** Positive, negative and zero ones have numbers that overlap. */
    @ParameterizedTest
    @ValueSource(doubles = {0x1p-128, 0.1, 5})
    void fewTryAThirdWithValuesOfAllKinds(double zeroThreshold) {
        double[] bounds =
                IntStream.range(-200, 200).mapToDouble(tenths -> tenths / 10.0).toArray();
        HistogramCounters counters = withValues(
                settings(bounds, 5, zeroThreshold),
                uniform -> uniform < 0.1 ? 0 : Math.copySign(Math.exp(1e4 * uniform % 6 - 3), uniform - 0.5));
        assertThat(keys(counters).filter(key -> probes(counters, key) > 2).count())
                .isLessThan(keys(counters).count() / 50);
        assertThat(keys(counters).map(key -> probes(counters, key)).max().orElseThrow())
                .isLessThan(6);
    }

    @Test
    void aNewCounterMostlyHasRoom() {
        HistogramCounters counters = HistogramCounters.create(settings(new double[0], 8, 0x1p-128));
        int instances = 0;
        int buckets = 5_000;
        for (int bucket = 0; bucket < buckets; bucket++) {
            double value = Math.pow(2, (bucket - buckets / 2 + 0.5) / 256);
            assertThat(counters.counterOf(value)).isNegative();
            HistogramCounters more = counters.withCounterFor(value);
            assertThat(more.counterOf(value)).isEqualTo(bucket);
            instances += more == counters ? 0 : 1;
            counters = more;
        }
        // The table has doubled some times, and the counts have.
        assertThat(instances).isLessThan(30);
    }

    /** Threads find counters that another one is just adding. */
    @Test
    void aNewCounterIsFoundOnceScrapesKnowIt() throws Exception {
        int buckets = 100;
        int threads = 4;
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            for (int round = 0; round < 300; round++) {
                HistogramDataPoint dataPoint = new HistogramDataPoint(settings(new double[0], 8, 0x1p-128), null);
                Callable<Void> observer = () -> {
                    for (int bucket = 0; bucket < buckets; bucket++) {
                        dataPoint.observe(Math.pow(2, (bucket + 0.5) / 256));
                        assertThat(dataPoint.getCount()).isGreaterThan(bucket);
                    }
                    return null;
                };
                for (Future<Void> future : executor.invokeAll(Collections.nCopies(threads, observer))) {
                    future.get();
                }
                assertThat(dataPoint.collect(Labels.EMPTY).getNativeBucketsForPositiveValues().stream()
                                .map(NativeHistogramBucket::getCount)
                                .toList())
                        .isEqualTo(Collections.nCopies(buckets, (long) threads));
            }
        }
    }

    /** A scrape can come between the two. The client has no empty buckets, and Prometheus would keep them. */
    @Test
    void aCounterThatNothingWasCountedWithIsNoBucketYet() {
        HistogramCounters counters =
                HistogramCounters.create(settings(new double[0], 3, 0)).withCounterFor(5);
        assertThat(nativeBuckets(counters)).isEmpty();
        counters.count(counters.counterOf(5), 5);
        assertThat(nativeBuckets(counters)).hasSize(1);
    }

    /** A scrape that has read the counters before they are replaced goes on with them. */
    @Test
    void countersThatWereScaledDownAreAsTheyWereForWhoeverHasThem() {
        HistogramCounters counters = HistogramCounters.create(settings(new double[0], 3, 0));
        for (double value : new double[] {1, 5, 25}) {
            counters = counters.withCounterFor(value);
            counters.count(counters.counterOf(value), value);
        }
        List<Integer> before = nativeBuckets(counters);
        HistogramCounters coarser = counters.scaledDown();
        assertThat(nativeBuckets(coarser)).isNotEqualTo(before);
        assertThat(nativeBuckets(counters)).isEqualTo(before);
    }

    /** The indexes of the buckets that a scrape shows. */
    private static List<Integer> nativeBuckets(HistogramCounters counters) {
        return counters.snapshot(Labels.EMPTY, Exemplars.EMPTY).getNativeBucketsForPositiveValues().stream()
                .map(NativeHistogramBucket::getBucketIndex)
                .toList();
    }

    @Test
    void classicHistogramsHaveNoTable() {
        HistogramSettings settings = new HistogramSettings(
                new ClassicBounds(List.of(1.0, 2.0, 3.0)), true, null, 0, 0, 160, 0, System::nanoTime, null);
        HistogramCounters counters = HistogramCounters.create(settings);
        assertThat(counters.tableKeys).isEmpty();
        assertThat(counters.counterOf(2.5)).isEqualTo(2);
    }
}

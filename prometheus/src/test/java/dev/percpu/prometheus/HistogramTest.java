package dev.percpu.prometheus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.percpu.testing.Workers;
import io.prometheus.metrics.config.MetricsProperties;
import io.prometheus.metrics.config.PrometheusProperties;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBucket;
import io.prometheus.metrics.model.snapshots.Exemplar;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.NativeHistogramBucket;
import io.prometheus.metrics.model.snapshots.NativeHistogramBuckets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.stream.DoubleStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** The histogram says what the client's says of the same values. */
class HistogramTest {
    enum Kind {
        CLASSIC,
        NATIVE,
        BOTH
    }

    static HistogramDataPointSnapshot ours(Histogram histogram) {
        return histogram.collect().getDataPoints().getFirst();
    }

    static HistogramDataPointSnapshot clients(io.prometheus.metrics.core.metrics.Histogram histogram) {
        return histogram.collect().getDataPoints().getFirst();
    }

    static void verifySame(HistogramDataPointSnapshot ours, HistogramDataPointSnapshot clients) {
        assertThat(ours.getCount()).isEqualTo(clients.getCount());
        assertThat(ours.getClassicBuckets().stream()
                        .map(ClassicHistogramBucket::getUpperBound)
                        .toList())
                .isEqualTo(clients.getClassicBuckets().stream()
                        .map(ClassicHistogramBucket::getUpperBound)
                        .toList());
        assertThat(ours.getClassicBuckets().stream()
                        .map(ClassicHistogramBucket::getCount)
                        .toList())
                .isEqualTo(clients.getClassicBuckets().stream()
                        .map(ClassicHistogramBucket::getCount)
                        .toList());
        assertThat(ours.getNativeSchema()).isEqualTo(clients.getNativeSchema());
        assertThat(ours.getNativeZeroCount()).isEqualTo(clients.getNativeZeroCount());
        // The client computes this bound in another way than those that it compares with.
        assertThat(ours.getNativeZeroThreshold())
                .isCloseTo(clients.getNativeZeroThreshold(), within(clients.getNativeZeroThreshold() * 1e-14));
        assertThat(text(ours.getNativeBucketsForPositiveValues()))
                .isEqualTo(text(clients.getNativeBucketsForPositiveValues()));
        assertThat(text(ours.getNativeBucketsForNegativeValues()))
                .isEqualTo(text(clients.getNativeBucketsForNegativeValues()));
        if (Double.isFinite(clients.getSum())) {
            // Each CPU's part is rounded by itself.
            assertThat(ours.getSum()).isCloseTo(clients.getSum(), within(Math.abs(clients.getSum()) * 1e-9 + 1e-9));
        } else {
            assertThat(ours.getSum()).isEqualTo(Double.valueOf(clients.getSum()));
        }
    }

    private static List<String> text(NativeHistogramBuckets buckets) {
        List<String> text = new ArrayList<>();
        for (NativeHistogramBucket bucket : buckets) {
            text.add(bucket.getBucketIndex() + ": " + bucket.getCount());
        }
        return text;
    }

    @Property(tries = 2_000)
    void anyValuesWithAnySettings(
            @ForAll Kind kind,
            @ForAll @IntRange(min = -4, max = 8) int schema,
            @ForAll @IntRange(min = 0, max = 12) int maxBuckets,
            @ForAll("thresholds") double minZero,
            @ForAll("thresholds") double maxZero,
            @ForAll("observations") List<Double> values) {
        Histogram.Builder ours = Histogram.builder()
                .name("some")
                .nativeInitialSchema(schema)
                .nativeMaxNumberOfBuckets(maxBuckets)
                .nativeMinZeroThreshold(Math.min(minZero, maxZero))
                .nativeMaxZeroThreshold(Math.max(minZero, maxZero));
        io.prometheus.metrics.core.metrics.Histogram.Builder clients =
                io.prometheus.metrics.core.metrics.Histogram.builder()
                        .name("some")
                        .nativeInitialSchema(schema)
                        .nativeMaxNumberOfBuckets(maxBuckets)
                        .nativeMinZeroThreshold(Math.min(minZero, maxZero))
                        .nativeMaxZeroThreshold(Math.max(minZero, maxZero));
        switch (kind) {
            case CLASSIC -> {
                ours.classicOnly();
                clients.classicOnly();
            }
            case NATIVE -> {
                ours.nativeOnly();
                clients.nativeOnly();
            }
            case BOTH -> {}
        }
        verifySameOf(ours.build(), clients.build(), values);
    }

    private static void verifySameOf(
            Histogram ours, io.prometheus.metrics.core.metrics.Histogram clients, List<Double> values) {
        for (double value : values) {
            ours.observe(value);
            clients.observe(value);
        }
        verifySame(ours(ours), clients(clients));
        assertThat(ours.getCount()).isEqualTo(clients.getCount());
    }

    @Provide
    Arbitrary<Double> thresholds() {
        return Arbitraries.oneOf(
                Arbitraries.of(0.0, 0x1p-128, 0.001, 1.0), Arbitraries.doubles().between(0, 10));
    }

    /** Values as they are observed, powers of two and what lies beside them, the client's bounds, and what is odd. */
    @Provide
    Arbitrary<List<Double>> observations() {
        Arbitrary<Double> powers = Arbitraries.integers()
                .between(-20, 20)
                .map(exponent -> Math.scalb(1.0, exponent))
                .flatMap(power -> Arbitraries.of(power, Math.nextUp(power), Math.nextDown(power), -power));
        Arbitrary<Double> bounds = Arbitraries.of(
                DoubleStream.of(io.prometheus.metrics.core.metrics.Histogram.Builder.DEFAULT_CLASSIC_UPPER_BOUNDS)
                        .boxed()
                        .toList());
        return Arbitraries.frequencyOf(
                        net.jqwik.api.Tuple.of(6, Arbitraries.doubles().between(0, 12)),
                        net.jqwik.api.Tuple.of(4, powers),
                        net.jqwik.api.Tuple.of(2, bounds),
                        net.jqwik.api.Tuple.of(
                                1,
                                Arbitraries.of(
                                        0.0,
                                        -0.0,
                                        Double.NaN,
                                        Double.POSITIVE_INFINITY,
                                        Double.NEGATIVE_INFINITY,
                                        Double.MIN_VALUE,
                                        -Double.MIN_VALUE,
                                        Double.MAX_VALUE)))
                .list()
                .ofMaxSize(60);
    }

    @Test
    void theDefaultsAreTheClients() {
        Random random = new Random(5);
        List<Double> values = random.doubles(20_000)
                .map(uniform -> Math.exp(20 * uniform - 14))
                .boxed()
                .toList();
        Histogram ours = Histogram.builder().name("some").build();
        io.prometheus.metrics.core.metrics.Histogram clients = io.prometheus.metrics.core.metrics.Histogram.builder()
                .name("some")
                .build();
        verifySameOf(ours, clients, values);
        // That is more buckets than fit into the first array, and than are allowed.
        assertThat(ours(ours).getNativeSchema()).isLessThan(HistogramSettings.DEFAULT_SCHEMA);
    }

    /** The builder says the one threshold, and the other comes from the configuration or is the default. */
    @Test
    void aZeroBucketThatBeginsWiderThanItMayBecomeIsTheClients() {
        for (PrometheusProperties properties : List.of(
                PrometheusProperties.get(),
                PrometheusProperties.builder()
                        .defaultMetricsProperties(MetricsProperties.builder()
                                .histogramNativeMaxZeroThreshold(0.001)
                                .build())
                        .build())) {
            verifySameOf(
                    Histogram.builder(properties)
                            .name("some")
                            .nativeMinZeroThreshold(0.1)
                            .build(),
                    io.prometheus.metrics.core.metrics.Histogram.builder(properties)
                            .name("some")
                            .nativeMinZeroThreshold(0.1)
                            .build(),
                    List.of(0.0, 0.0001, 0.001, 0.01, 0.1, 1.0));
        }
    }

    @Test
    void boundsAreWhatWasAskedFor() {
        assertThat(upperBounds(Histogram.builder().name("a").classicLinearUpperBounds(0.1, 0.2, 4)))
                .containsExactly(0.1, 0.3, 0.5, 0.7, Double.POSITIVE_INFINITY);
        assertThat(upperBounds(Histogram.builder().name("a").classicExponentialUpperBounds(1, 2, 3)))
                .containsExactly(1.0, 2.0, 4.0, Double.POSITIVE_INFINITY);
        assertThat(upperBounds(Histogram.builder().name("a").classicUpperBounds(3, 1, 3, Double.POSITIVE_INFINITY)))
                .containsExactly(1.0, 3.0, Double.POSITIVE_INFINITY);
    }

    /** The client has two bounds there, which look like one to all who are told of them. */
    @Test
    void aBoundOfZeroHasNoSign() {
        assertThat(upperBounds(Histogram.builder().name("a").classicUpperBounds(-0.0, 0.0)))
                .containsExactly(0.0, Double.POSITIVE_INFINITY);
        io.prometheus.metrics.core.metrics.Histogram.Builder clients =
                io.prometheus.metrics.core.metrics.Histogram.builder().name("a").classicUpperBounds(-0.0, 0.0);
        assertThatIllegalArgumentException().isThrownBy(clients::build);
        io.prometheus.metrics.core.metrics.Histogram without =
                clients.withoutExemplars().build();
        without.observe(1);
        assertThatIllegalArgumentException().isThrownBy(without::collect);
    }

    private static List<Double> upperBounds(Histogram.Builder builder) {
        return ours(builder.build()).getClassicBuckets().stream()
                .map(ClassicHistogramBucket::getUpperBound)
                .toList();
    }

    /** The schema becomes coarser and the arrays longer, and the zero bucket wider, while threads count and scrape. */
    @Test
    void noObservationIsLostWhileBucketsAreMerged() throws InterruptedException {
        for (double maxZero : new double[] {0, 1e6}) {
            Histogram histogram = Histogram.builder()
                    .name("some")
                    .nativeInitialSchema(8)
                    .nativeMaxNumberOfBuckets(50)
                    .nativeMinZeroThreshold(0)
                    .nativeMaxZeroThreshold(maxZero)
                    .build();
            DistributionDataPoint dataPoint = histogram.labelValues();
            int each = 60_000;
            Thread[] threads = new Thread[4];
            for (int i = 0; i < threads.length; i++) {
                int seed = i;
                threads[i] = Thread.ofVirtual().start(() -> {
                    Random random = new Random(seed);
                    for (int n = 1; n <= each; n++) {
                        // Ever more of the range, so that there are new buckets until the end.
                        dataPoint.observe(Math.exp(40.0 * random.nextDouble() * n / each));
                    }
                });
            }
            long before = 0;
            while (before < (long) threads.length * each
                    && List.of(threads).stream().anyMatch(Thread::isAlive)) {
                // The snapshot's constructor compares the classic count with the native one.
                long now = ours(histogram).getCount();
                assertThat(now).isGreaterThanOrEqualTo(before);
                before = now;
            }
            for (Thread thread : threads) {
                thread.join();
            }
            HistogramDataPointSnapshot snapshot = ours(histogram);
            assertThat(snapshot.getCount()).isEqualTo((long) threads.length * each);
            if (maxZero == 0) {
                assertThat(snapshot.getNativeSchema()).isLessThan(8);
            } else {
                assertThat(snapshot.getNativeZeroThreshold()).isPositive();
            }
        }
    }

    @Test
    void aNegativeNumberOfBoundsIsRefused() {
        Histogram.Builder builder = Histogram.builder().name("negative");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.classicLinearUpperBounds(1, 1, -1))
                .withMessage("Illegal number of bounds -1: must be >= 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.classicExponentialUpperBounds(1, 2, -3))
                .withMessage("Illegal number of bounds -3: must be >= 0");
    }

    /** As the client does it, but behind a scrape or a bucket that is too much. */
    @Test
    void aHistogramThatWasScaledDownBeginsAnewAfterItsTime() {
        AtomicLong nanos = new AtomicLong(17);
        HistogramSettings settings = new HistogramSettings(
                new ClassicBounds(List.of(1.0)), true, NativeSchema.of(3), 0, 0, 4, 100, nanos::get, null);
        HistogramDataPoint dataPoint = new HistogramDataPoint(settings, null);
        DoubleStream.of(1, 1.2, 2, 3, 5, 9).forEach(dataPoint::observe);
        nanos.addAndGet(99);
        assertThat(dataPoint.collect(Labels.EMPTY).getNativeSchema()).isLessThan(3);
        assertThat(dataPoint.collect(Labels.EMPTY).getCount()).isEqualTo(6);
        long created = dataPoint.collect(Labels.EMPTY).getCreatedTimestampMillis();
        while (System.currentTimeMillis() == created) {
            Thread.onSpinWait();
        }
        nanos.addAndGet(1);
        // What was there is still exposed once.
        assertThat(dataPoint.collect(Labels.EMPTY).getCount()).isEqualTo(6);
        HistogramDataPointSnapshot anew = dataPoint.collect(Labels.EMPTY);
        assertThat(anew.getCount()).isZero();
        assertThat(anew.getSum()).isZero();
        assertThat(anew.getNativeSchema()).isEqualTo(3);
        assertThat(anew.getCreatedTimestampMillis()).isGreaterThan(created);

        nanos.addAndGet(100);
        DoubleStream.of(1, 2, 4, 8).forEach(dataPoint::observe);
        assertThat(dataPoint.getCount()).isEqualTo(4);
        // The fifth bucket is too much, and the time is over.
        dataPoint.observe(16);
        assertThat(dataPoint.getCount()).isOne();
        assertThat(dataPoint.collect(Labels.EMPTY).getNativeSchema()).isEqualTo(3);

        // Its time has begun again.
        DoubleStream.of(1, 2, 4, 8).forEach(dataPoint::observe);
        assertThat(dataPoint.collect(Labels.EMPTY).getNativeSchema()).isLessThan(3);
        assertThat(dataPoint.collect(Labels.EMPTY).getCount()).isEqualTo(5);
    }

    /** A scraper takes another time for a reset. */
    @Test
    void aHistogramThatGetsMoreCountersOrFewerBucketsWasCreatedWhenItWas() {
        HistogramSettings settings = new HistogramSettings(
                new ClassicBounds(List.of()), false, NativeSchema.of(3), 0, 0, 40, 0, System::nanoTime, null);
        HistogramDataPoint dataPoint = new HistogramDataPoint(settings, null);
        long created = dataPoint.collect(Labels.EMPTY).getCreatedTimestampMillis();
        while (System.currentTimeMillis() == created) {
            Thread.onSpinWait();
        }
        DoubleStream.iterate(1, value -> 2 * value).limit(40).forEach(dataPoint::observe);
        HistogramDataPointSnapshot longer = dataPoint.collect(Labels.EMPTY);
        assertThat(longer.getNativeSchema()).isEqualTo(3);
        assertThat(longer.getCreatedTimestampMillis()).isEqualTo(created);
        dataPoint.observe(0.1);
        HistogramDataPointSnapshot coarser = dataPoint.collect(Labels.EMPTY);
        assertThat(coarser.getNativeSchema()).isLessThan(3);
        assertThat(coarser.getCreatedTimestampMillis()).isEqualTo(created);
    }

    /** What counts the nanoseconds may begin anywhere, and wraps. */
    @Test
    void theTimeAfterWhichAHistogramBeginsAnewCanWrap() {
        AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 50);
        HistogramSettings settings = new HistogramSettings(
                new ClassicBounds(List.of()), false, NativeSchema.of(3), 0, 0, 4, 100, nanos::get, null);
        HistogramDataPoint dataPoint = new HistogramDataPoint(settings, null);
        DoubleStream.of(1, 2, 4, 8, 16).forEach(dataPoint::observe);
        assertThat(dataPoint.collect(Labels.EMPTY).getCount()).isEqualTo(5);
        assertThat(dataPoint.getCount()).isEqualTo(5);
        nanos.addAndGet(100);
        assertThat(dataPoint.collect(Labels.EMPTY).getCount()).isEqualTo(5);
        assertThat(dataPoint.getCount()).isZero();
    }

    /** A scrape asks for the time when it has its snapshot. Then another thread observes values that need more room. */
    @Test
    void whatIsObservedBetweenASnapshotAndItsResetIsNotLost() {
        AtomicLong nanos = new AtomicLong();
        AtomicReference<Runnable> meanwhile = new AtomicReference<>(() -> {});
        LongSupplier clock = () -> {
            meanwhile.getAndSet(() -> {}).run();
            return nanos.get();
        };
        double[] between =
                DoubleStream.iterate(1.01, bound -> bound + 0.01).limit(99).toArray();
        HistogramSettings settings = new HistogramSettings(
                new ClassicBounds(DoubleStream.of(between).boxed().toList()),
                true,
                NativeSchema.of(3),
                0,
                0,
                4,
                100,
                clock,
                null);
        HistogramDataPoint dataPoint = new HistogramDataPoint(settings, null);
        DoubleStream.of(1, 1.2, 2, 3, 5, 9).forEach(dataPoint::observe);
        nanos.addAndGet(100);
        meanwhile.set(() -> DoubleStream.of(between).forEach(dataPoint::observe));
        assertThat(dataPoint.collect(Labels.EMPTY).getCount()).isEqualTo(6);
        assertThat(dataPoint.getCount()).isEqualTo(6 + between.length);
        assertThat(dataPoint.collect(Labels.EMPTY).getCount()).isEqualTo(6 + between.length);
        assertThat(dataPoint.getCount()).isZero();
    }

    /** A thread asks for the time while it adds a bucket, for which it holds the lock. It goes on after the scrape. */
    @Test
    void aScrapeThatCouldResetDoesNotWaitForAThreadThatCounts() {
        AtomicLong nanos = new AtomicLong();
        CountDownLatch adding = new CountDownLatch(1);
        CountDownLatch scraped = new CountDownLatch(1);
        Thread scraping = Thread.currentThread();
        LongSupplier clock = () -> {
            if (Thread.currentThread() != scraping) {
                adding.countDown();
                Workers.await(scraped);
            }
            return nanos.get();
        };
        HistogramSettings settings = new HistogramSettings(
                new ClassicBounds(List.of()), false, NativeSchema.of(3), 0, 0, 4, 100, clock, null);
        HistogramDataPoint dataPoint = new HistogramDataPoint(settings, null);
        DoubleStream.of(1, 1.2, 2, 3, 5, 9).forEach(dataPoint::observe);
        nanos.addAndGet(100);
        Thread counting = Thread.ofPlatform()
                .start(() -> DoubleStream.of(1e3, 1e6, 1e9, 1e12).forEach(dataPoint::observe));
        Workers.await(adding, counting);
        assertThat(dataPoint.collect(Labels.EMPTY).getCount()).isGreaterThanOrEqualTo(6);
        scraped.countDown();
        Workers.join(counting);
    }

    @Test
    void aHistogramThatKeepsItsSchemaIsNotReset() {
        AtomicLong nanos = new AtomicLong();
        HistogramSettings settings = new HistogramSettings(
                new ClassicBounds(List.of()), false, NativeSchema.of(3), 0, 0, 4, 100, nanos::get, null);
        HistogramDataPoint dataPoint = new HistogramDataPoint(settings, null);
        dataPoint.observe(1);
        nanos.addAndGet(1000);
        assertThat(dataPoint.collect(Labels.EMPTY).getCount()).isOne();
        assertThat(dataPoint.collect(Labels.EMPTY).getCount()).isOne();
    }

    /** As in the client, where nothing is done about too many buckets if no schema is coarser. */
    @Test
    void aHistogramThatCannotBecomeCoarserIsNotReset() {
        AtomicLong nanos = new AtomicLong();
        HistogramSettings settings = new HistogramSettings(
                new ClassicBounds(List.of()),
                false,
                NativeSchema.of(NativeSchema.COARSEST),
                0,
                0,
                2,
                100,
                nanos::get,
                null);
        HistogramDataPoint dataPoint = new HistogramDataPoint(settings, null);
        nanos.addAndGet(1000);
        DoubleStream.of(1, 1e6, 1e12, 1e18).forEach(dataPoint::observe);
        assertThat(dataPoint.collect(Labels.EMPTY).getCount()).isEqualTo(4);
    }

    @Test
    void anExemplarIsExposedWithItsBucket() {
        Histogram histogram =
                Histogram.builder().name("some").classicUpperBounds(1, 2).build();
        histogram.observeWithExemplar(Double.NaN, Labels.of("request", "16"));
        histogram.observeWithExemplar(1.5, Labels.of("request", "17"));
        assertThat(ours(histogram).getCount()).isOne();
        Exemplar exemplar = ours(histogram).getExemplars().get(1, 2);
        assertThat(exemplar).isNotNull();
        assertThat(exemplar.getValue()).isEqualTo(1.5);
        assertThat(exemplar.getLabels().get("request")).isEqualTo("17");

        Histogram without = Histogram.builder().name("some").withoutExemplars().build();
        without.observeWithExemplar(1.5, Labels.of("request", "17"));
        assertThat(ours(without).getExemplars().size()).isZero();
        assertThat(ours(without).getCount()).isOne();
    }

    @Test
    void aTimerObservesSeconds() {
        Histogram histogram = Histogram.builder().name("some").build();
        histogram.time(() -> {});
        assertThat(ours(histogram).getCount()).isOne();
        assertThat(ours(histogram).getSum()).isBetween(0.0, 60.0);
    }
}

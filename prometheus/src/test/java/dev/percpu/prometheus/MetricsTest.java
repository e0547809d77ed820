package dev.percpu.prometheus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.memory.AreaFullException;
import dev.percpu.testing.FilledArea;
import io.prometheus.metrics.config.MetricsProperties;
import io.prometheus.metrics.config.PrometheusProperties;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.GaugeDataPoint;
import io.prometheus.metrics.core.exemplars.ExemplarSampler;
import io.prometheus.metrics.core.exemplars.ExemplarSamplerConfig;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.DataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Exemplar;
import io.prometheus.metrics.model.snapshots.Exemplars;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricFamilyDescriptor;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.Unit;
import io.prometheus.metrics.tracer.common.SpanContext;
import io.prometheus.metrics.tracer.initializer.SpanContextSupplier;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is registered, exposed and refused is what the client's own metrics register, expose and refuse. */
class MetricsTest {
    private final PrometheusRegistry ours = new PrometheusRegistry();
    private final PrometheusRegistry clients = new PrometheusRegistry();

    private static String prometheusText(PrometheusRegistry registry) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PrometheusTextFormatWriter.create().write(out, registry.scrape());
        return out.toString(StandardCharsets.UTF_8);
    }

    private static String openMetricsText(PrometheusRegistry registry) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        OpenMetricsTextFormatWriter.create().write(out, registry.scrape());
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void theSameTextIsExposed() throws IOException {
        Counter counter = Counter.builder()
                .name("requests_total")
                .help("Requests")
                .labelNames("path", "status.code")
                .constLabels(Labels.of("zone", "a"))
                .register(ours);
        io.prometheus.metrics.core.metrics.Counter clientsCounter = io.prometheus.metrics.core.metrics.Counter.builder()
                .name("requests_total")
                .help("Requests")
                .labelNames("path", "status.code")
                .constLabels(Labels.of("zone", "a"))
                .register(clients);
        for (CounterDataPoint dataPoint :
                List.of(counter.labelValues("/", "200"), clientsCounter.labelValues("/", "200"))) {
            dataPoint.inc();
            dataPoint.inc(41);
            dataPoint.inc(0.5);
            dataPoint.inc(0);
        }
        counter.initLabelValues("/", "500");
        clientsCounter.initLabelValues("/", "500");
        Counter.builder().name("never").unit(Unit.BYTES).register(ours);
        io.prometheus.metrics.core.metrics.Counter.builder()
                .name("never")
                .unit(Unit.BYTES)
                .register(clients);

        Gauge gauge = Gauge.builder().name("in_progress").labelNames("queue").register(ours);
        io.prometheus.metrics.core.metrics.Gauge clientsGauge = io.prometheus.metrics.core.metrics.Gauge.builder()
                .name("in_progress")
                .labelNames("queue")
                .register(clients);
        for (GaugeDataPoint dataPoint : List.of(gauge.labelValues("a"), clientsGauge.labelValues("a"))) {
            dataPoint.set(7);
            dataPoint.inc();
            dataPoint.dec(0.5);
            dataPoint.dec();
        }

        Histogram histogram = Histogram.builder()
                .name("duration")
                .unit(Unit.SECONDS)
                .labelNames("method")
                .register(ours);
        io.prometheus.metrics.core.metrics.Histogram clientsHistogram =
                io.prometheus.metrics.core.metrics.Histogram.builder()
                        .name("duration")
                        .unit(Unit.SECONDS)
                        .labelNames("method")
                        .register(clients);
        for (double value : new double[] {0.005, 0.25, 3, 100, -1}) {
            histogram.labelValues("GET").observe(value);
            clientsHistogram.labelValues("GET").observe(value);
        }

        assertThat(prometheusText(ours))
                .isEqualTo(prometheusText(clients))
                .contains("requests_total{path=\"/\",status_code=\"200\",zone=\"a\"} 42.5")
                .contains("in_progress{queue=\"a\"} 6.5")
                .contains("duration_seconds_count{method=\"GET\"} 5");
        assertThat(openMetricsText(ours)).isEqualTo(openMetricsText(clients));
    }

    static Stream<Arguments> metrics() {
        return Stream.of(
                Arguments.of(Counter.builder()
                        .name("a_total")
                        .help("text")
                        .labelNames("b.c")
                        .constLabels(Labels.of("d", "e"))
                        .build()),
                Arguments.of(Gauge.builder().name("a").unit(Unit.BYTES).build()),
                Arguments.of(Histogram.builder().name("a").labelNames("b").build()));
    }

    /** Since version 1.6 the registry looks at what a collector says before it is scraped. */
    @ParameterizedTest
    @MethodSource("metrics")
    void whatIsRegisteredIsWhatIsExposed(PerCpuMetric<?, ?> metric) {
        metric.initLabelValues(metric.getMetricFamilyDescriptor().getLabelNames().stream()
                .filter(name -> !name.equals("d"))
                .toArray(String[]::new));
        MetricFamilyDescriptor descriptor = metric.getMetricFamilyDescriptor();
        MetricSnapshot snapshot = metric.collect();
        assertThat(descriptor.getMetadata()).isSameAs(snapshot.getMetadata());
        assertThat(descriptor.getPrometheusName())
                .isEqualTo(snapshot.getMetadata().getPrometheusName());
        assertThat(descriptor.getType().name())
                .isEqualTo(snapshot.getClass()
                        .getSimpleName()
                        .replace("Snapshot", "")
                        .toUpperCase(java.util.Locale.ROOT));
        assertThat(snapshot.getDataPoints()).hasSize(1);
        Labels labels = snapshot.getDataPoints().get(0).getLabels();
        assertThat(labels.stream().map(label -> label.getName().replace('.', '_')))
                .containsExactlyInAnyOrderElementsOf(descriptor.getLabelNames());
    }

    @Test
    void aScrapeByNameSkipsTheOthers() {
        Counter.builder().name("a").register(ours);
        Gauge.builder().name("b").register(ours);
        assertThat(ours.scrape(name -> name.equals("b"))).hasSize(1);
    }

    private void sameFailure(ThrowingCallable oursDoes, ThrowingCallable clientsDoes) {
        Throwable expected = catchThrowable(clientsDoes);
        assertThat(expected).as("what the client throws").isNotNull();
        assertThat(catchThrowable(oursDoes))
                .isExactlyInstanceOf(expected.getClass())
                .hasMessage(expected.getMessage());
    }

    @Test
    void badNamesAndLabelsAreRefusedAsByTheClient() {
        for (String name :
                Arrays.asList(null, "", "1a", "a b", "a_total_total", "a\u0000", "a_bucket", "a_info", "a_created")) {
            Throwable expected = catchThrowable(
                    () -> io.prometheus.metrics.core.metrics.Counter.builder().name(name));
            Throwable actual = catchThrowable(() -> Counter.builder().name(name));
            if (expected == null) {
                assertThat(actual).as("name %s", name).isNull();
            } else {
                assertThat(actual)
                        .as("name %s", name)
                        .isExactlyInstanceOf(expected.getClass())
                        .hasMessage(expected.getMessage());
            }
        }
        sameFailure(
                () -> Counter.builder().build(),
                () -> io.prometheus.metrics.core.metrics.Counter.builder().build());
        sameFailure(
                () -> Counter.builder().name("a").labelNames("__b"),
                () -> io.prometheus.metrics.core.metrics.Counter.builder()
                        .name("a")
                        .labelNames("__b"));
        sameFailure(
                () -> Histogram.builder().labelNames("le"),
                () -> io.prometheus.metrics.core.metrics.Histogram.builder().labelNames("le"));
        sameFailure(
                () -> Histogram.builder().constLabels(Labels.of("le", "x")),
                () -> io.prometheus.metrics.core.metrics.Histogram.builder().constLabels(Labels.of("le", "x")));
        sameFailure(
                () -> Gauge.builder().labelNames("b").constLabels(Labels.of("b", "c")),
                () -> io.prometheus.metrics.core.metrics.Gauge.builder()
                        .labelNames("b")
                        .constLabels(Labels.of("b", "c")));
    }

    @Test
    void badLabelValuesAreRefusedAsByTheClient() {
        Counter counter = Counter.builder().name("a").labelNames("b", "c").build();
        io.prometheus.metrics.core.metrics.Counter clients = io.prometheus.metrics.core.metrics.Counter.builder()
                .name("a")
                .labelNames("b", "c")
                .build();
        sameFailure(counter::inc, clients::inc);
        sameFailure(() -> counter.labelValues("x"), () -> clients.labelValues("x"));
        sameFailure(() -> counter.labelValues("x", null), () -> clients.labelValues("x", null));
        assertThat(counter.collect().getDataPoints()).isEmpty();
        sameFailure(
                () -> Counter.builder().name("a").build().labelValues("x"),
                () -> io.prometheus.metrics.core.metrics.Counter.builder()
                        .name("a")
                        .build()
                        .labelValues("x"));
    }

    @Test
    void negativeIncrementsAreRefusedAsByTheClientAndNotCounted() {
        Counter counter = Counter.builder().name("a").build();
        io.prometheus.metrics.core.metrics.Counter clients =
                io.prometheus.metrics.core.metrics.Counter.builder().name("a").build();
        sameFailure(() -> counter.inc(-1), () -> clients.inc(-1));
        sameFailure(() -> counter.inc(-0.5), () -> clients.inc(-0.5));
        sameFailure(() -> counter.inc(Long.MIN_VALUE), () -> clients.inc(Long.MIN_VALUE));
        sameFailure(() -> counter.incWithExemplar(-1, Labels.EMPTY), () -> clients.incWithExemplar(-1, Labels.EMPTY));
        assertThat(counter.get()).isZero();
        for (double odd : new double[] {-0.0, Double.POSITIVE_INFINITY, Double.NaN}) {
            counter.inc(odd);
            clients.inc(odd);
            assertThat(counter.get()).isEqualTo(Double.valueOf(clients.get()));
            assertThat(counter.getLongValue()).isEqualTo(clients.getLongValue());
        }
    }

    @Test
    void badHistogramsAreRefusedAsByTheClient() {
        sameFailure(
                () -> Histogram.builder().classicOnly().nativeOnly(),
                () -> io.prometheus.metrics.core.metrics.Histogram.builder()
                        .classicOnly()
                        .nativeOnly());
        sameFailure(
                () -> Histogram.builder().nativeOnly().classicOnly(),
                () -> io.prometheus.metrics.core.metrics.Histogram.builder()
                        .nativeOnly()
                        .classicOnly());
        sameFailure(
                () -> Histogram.builder().classicUpperBounds(1, Double.NaN),
                () -> io.prometheus.metrics.core.metrics.Histogram.builder().classicUpperBounds(1, Double.NaN));
        for (int schema : new int[] {-5, 9}) {
            sameFailure(
                    () -> Histogram.builder().nativeInitialSchema(schema),
                    () -> io.prometheus.metrics.core.metrics.Histogram.builder().nativeInitialSchema(schema));
        }
        sameFailure(
                () -> Histogram.builder().nativeMinZeroThreshold(-1),
                () -> io.prometheus.metrics.core.metrics.Histogram.builder().nativeMinZeroThreshold(-1));
        sameFailure(
                () -> Histogram.builder().nativeMaxZeroThreshold(-1),
                () -> io.prometheus.metrics.core.metrics.Histogram.builder().nativeMaxZeroThreshold(-1));
        sameFailure(
                () -> Histogram.builder().nativeResetDuration(0, TimeUnit.DAYS),
                () -> io.prometheus.metrics.core.metrics.Histogram.builder().nativeResetDuration(0, TimeUnit.DAYS));
        sameFailure(
                () -> Histogram.builder().nativeResetDuration(10, TimeUnit.MILLISECONDS),
                () -> io.prometheus.metrics.core.metrics.Histogram.builder()
                        .nativeResetDuration(10, TimeUnit.MILLISECONDS));
        sameFailure(
                () -> Histogram.builder().name("a").nativeMaxNumberOfBuckets(-1).build(),
                () -> io.prometheus.metrics.core.metrics.Histogram.builder()
                        .name("a")
                        .nativeMaxNumberOfBuckets(-1)
                        .build());
    }

    @Test
    void aSecondRegistrationIsRefused() {
        Counter counter = Counter.builder().name("a").register(ours);
        io.prometheus.metrics.core.metrics.Counter.builder().name("a").register(clients);
        sameFailure(
                () -> Gauge.builder().name("a_total").register(ours),
                () -> io.prometheus.metrics.core.metrics.Gauge.builder()
                        .name("a_total")
                        .register(clients));
        sameFailure(
                () -> Histogram.builder().name("a").register(ours),
                () -> io.prometheus.metrics.core.metrics.Histogram.builder()
                        .name("a")
                        .register(clients));
        sameFailure(
                () -> Counter.builder().name("a").register(ours),
                () -> io.prometheus.metrics.core.metrics.Counter.builder()
                        .name("a")
                        .register(clients));
        // Also beside one of the client's own.
        sameFailure(
                () -> Counter.builder().name("a").register(clients),
                () -> io.prometheus.metrics.core.metrics.Counter.builder()
                        .name("a")
                        .register(clients));
        assertThatIllegalArgumentException().isThrownBy(() -> ours.register(counter));
        ours.unregister((Collector) counter);
        Counter.builder().name("a").register(ours);
        assertThat(ours.scrape()).hasSize(1);
    }

    @Test
    void configurationOfTheClientIsHeard() {
        PrometheusProperties properties = PrometheusProperties.builder()
                .putMetricProperty(
                        "sizes",
                        MetricsProperties.builder()
                                .histogramClassicOnly(true)
                                .histogramClassicUpperBounds(1, 2)
                                .build())
                .build();
        Histogram histogram = Histogram.builder(properties)
                .name("sizes")
                .nativeInitialSchema(3)
                .build();
        assertThat(histogram.collect().getDataPoints().getFirst().hasNativeHistogramData())
                .isFalse();
        assertThat(histogram
                        .collect()
                        .getDataPoints()
                        .getFirst()
                        .getClassicBuckets()
                        .size())
                .isEqualTo(3);
        Histogram other = Histogram.builder(properties).name("other").build();
        assertThat(other.collect().getDataPoints().getFirst().hasNativeHistogramData())
                .isTrue();
    }

    /** Of a histogram that begins anew 100 ns after its schema became coarser, which a third native bucket makes it. */
    private static HistogramSettings beginningAnew(AtomicLong nanos) {
        return new HistogramSettings(
                new ClassicBounds(List.of(1.0)), true, NativeSchema.of(3), 0, 0, 2, 100, nanos::get, null);
    }

    @Test
    void aScrapeDoesNotFailWhereTheAreaIsFull() {
        Counter used = Counter.builder().name("used").register(ours);
        used.inc(7);
        AtomicLong nanos = new AtomicLong();
        HistogramDataPoint coarser = new HistogramDataPoint(beginningAnew(nanos), null);
        DoubleStream.of(1, 2, 4).forEach(coarser::observe);
        nanos.addAndGet(100);
        try (FilledArea _ = new FilledArea(PerCpuCounterArray::new, AreaFullException.class)) {
            Counter.builder().name("never_used").register(ours);
            Gauge.builder().name("unused").register(ours);
            Histogram.builder().name("without_value").register(ours);
            MetricSnapshot exposed = ours.scrape().stream()
                    .filter(snapshot -> snapshot.getMetadata().getName().equals("used"))
                    .findFirst()
                    .orElseThrow();
            assertThat(((CounterSnapshot) exposed).getDataPoints().getFirst().getValue())
                    .isEqualTo(7);
            // It would begin anew with this scrape.
            assertThat(coarser.collect(Labels.EMPTY).getCount()).isEqualTo(3);
            assertThat(coarser.collect(Labels.EMPTY).getCount())
                    .as("it kept its counters")
                    .isEqualTo(3);
            // Or with this observation, for which there are too many buckets again.
            coarser.observe(1_000);
            assertThat(coarser.collect(Labels.EMPTY).getCount()).isEqualTo(4);
        }
    }

    @Test
    void aCounterThatOverflowsIsRefusedByTheScrapeWithItsName() {
        Counter counter = Counter.builder().name("a_total").labelNames("b").build();
        io.prometheus.metrics.core.metrics.Counter clients = io.prometheus.metrics.core.metrics.Counter.builder()
                .name("a_total")
                .labelNames("b")
                .build();
        for (CounterDataPoint dataPoint : List.of(counter.labelValues("x"), clients.labelValues("x"))) {
            dataPoint.inc(Long.MAX_VALUE);
            dataPoint.inc();
        }
        sameFailure(counter::collect, clients::collect);
    }

    @Test
    void defaultsAreTheClients() {
        for (MetricsProperties[] pair : new MetricsProperties[][] {
            {
                Histogram.builder().getDefaultProperties(),
                io.prometheus.metrics.core.metrics.Histogram.builder().getDefaultProperties()
            },
            {
                Counter.builder().getDefaultProperties(),
                io.prometheus.metrics.core.metrics.Counter.builder().getDefaultProperties()
            },
            {
                Gauge.builder().getDefaultProperties(),
                io.prometheus.metrics.core.metrics.Gauge.builder().getDefaultProperties()
            }
        }) {
            assertThat(pair[0]).usingRecursiveComparison().isEqualTo(pair[1]);
        }
        assertThat(Histogram.Builder.DEFAULT_CLASSIC_UPPER_BOUNDS)
                .isSameAs(io.prometheus.metrics.core.metrics.Histogram.Builder.DEFAULT_CLASSIC_UPPER_BOUNDS);
    }

    @Test
    void dataPointsCanBeRemoved() {
        Counter counter = Counter.builder().name("a").labelNames("b").build();
        String[] values = {"x"};
        CounterDataPoint x = counter.labelValues(values);
        values[0] = "y";
        counter.labelValues("y").inc();
        counter.labelValues("z").inc();
        // A data point is found by what the array held, and no other is made.
        assertThat(counter.labelValues("x")).isSameAs(x);
        assertThatThrownBy(() -> counter.removeIf(labels -> labels.set(0, "w").isEmpty()))
                .isInstanceOf(UnsupportedOperationException.class);
        assertThat(counter.collect().getDataPoints()).hasSize(3);
        counter.remove("x");
        // A program may look for null: the client's list says that there is none.
        counter.removeIf(labels -> labels.contains(null));
        counter.removeIf(labels -> labels.equals(List.of("z")));
        assertThat(counter.collect().getDataPoints()).hasSize(1);
        counter.clear();
        assertThat(counter.collect().getDataPoints()).isEmpty();
        counter.labelValues("y").inc();
        assertThat(counter.labelValues("y").get()).isEqualTo(1);
    }

    /** More buckets and a coarser schema are no new beginning. */
    @Test
    void aDataPointSaysWhenItWasCreated() {
        long before = System.currentTimeMillis();
        Counter counter = Counter.builder().name("a").build();
        counter.inc();
        Histogram classic = Histogram.builder().name("b").classicOnly().build();
        classic.observe(1);
        Histogram both =
                Histogram.builder().name("c").nativeMaxNumberOfBuckets(10).build();
        both.observe(1);
        long after = System.currentTimeMillis();
        while (System.currentTimeMillis() == after) {
            Thread.onSpinWait();
        }
        for (int i = 0; i < 100; i++) {
            counter.inc();
            classic.observe(i);
            both.observe(i);
        }
        HistogramSnapshot scaledDown = both.collect();
        assertThat(scaledDown.getDataPoints().getFirst().getNativeSchema())
                .isLessThan(HistogramSettings.DEFAULT_SCHEMA);
        for (MetricSnapshot snapshot : List.of(counter.collect(), classic.collect(), scaledDown)) {
            assertThat(snapshot.getDataPoints().get(0).getCreatedTimestampMillis())
                    .as(snapshot.getMetadata().getName())
                    .isBetween(before, after);
        }
    }

    @Test
    void aMetricWithoutLabelsCountsWhereItIsExposedAlsoAfterItWasCleared() {
        Counter counter = Counter.builder().name("a").build();
        List<Runnable> removals = List.of(counter::clear, counter::remove, () -> counter.removeIf(_ -> true));
        for (Runnable removal : removals) {
            counter.inc();
            removal.run();
            counter.inc(2);
            assertThat(counter.collect().getDataPoints().getFirst().getValue()).isEqualTo(2);
            counter.clear();
        }
    }

    @Test
    void labelValuesWithTheSameHashCodeAreNotTheSame() {
        assertThat("BB").hasSameHashCodeAs("Aa");
        Counter counter = Counter.builder().name("a").labelNames("b").build();
        assertThat(counter.labelValues("BB")).isNotSameAs(counter.labelValues("Aa"));
    }

    @Test
    void aLongValueIsExactWhereADoubleIsNot() {
        Counter counter = Counter.builder().name("a").build();
        counter.inc(1L << 53);
        counter.inc();
        assertThat(counter.getLongValue()).isEqualTo((1L << 53) + 1);
    }

    @Test
    void noIncrementIsLostAndNoScrapeGoesBack() throws InterruptedException {
        Counter counter = Counter.builder().name("a").labelNames("b").build();
        int each = 50_000;
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = Thread.ofVirtual().start(() -> {
                for (int n = 0; n < each; n++) {
                    counter.labelValues("x").inc();
                    counter.labelValues("x").inc(0.25);
                }
            });
        }
        double before = 0;
        while (Stream.of(threads).anyMatch(Thread::isAlive)) {
            for (CounterSnapshot.CounterDataPointSnapshot snapshot :
                    counter.collect().getDataPoints()) {
                assertThat(snapshot.getValue()).isGreaterThanOrEqualTo(before);
                before = snapshot.getValue();
            }
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(counter.labelValues("x").get()).isEqualTo(threads.length * each * 1.25);
    }

    @Test
    void settingAGaugeLeavesNothingOfWhatWasThere() {
        Gauge gauge = Gauge.builder().name("a").build();
        gauge.inc(1e16);
        gauge.set(0);
        gauge.inc();
        assertThat(gauge.get()).isEqualTo(1);
        gauge.inc(Double.POSITIVE_INFINITY);
        gauge.set(3);
        gauge.dec();
        assertThat(gauge.get()).isEqualTo(2);
        gauge.set(Double.NaN);
        assertThat(gauge.get()).isNaN();
        gauge.set(-0.5);
        assertThat(gauge.get()).isEqualTo(-0.5);
    }

    @Test
    void nobodySeesAGaugeBetweenTwoValues() throws InterruptedException {
        Gauge gauge = Gauge.builder().name("a").build();
        gauge.set(1000);
        Thread setter = Thread.ofVirtual().start(() -> {
            for (int i = 0; i < 2_000; i++) {
                gauge.set(1000);
            }
        });
        while (setter.isAlive()) {
            assertThat(gauge.get()).isEqualTo(1000);
        }
        setter.join();
    }

    @Test
    void exemplarsThatAreGivenAreExposed() {
        Labels labels = Labels.of("request", "17");
        Counter counter = Counter.builder().name("a").build();
        counter.incWithExemplar(2, labels);
        assertThat(counter.collect().getDataPoints().getFirst().getExemplar().getValue())
                .isEqualTo(2);
        Gauge gauge = Gauge.builder().name("b").build();
        gauge.inc(5);
        gauge.incWithExemplar(2, labels);
        // Of a gauge it is the value that the update led to.
        assertThat(gauge.collect().getDataPoints().getFirst().getExemplar().getValue())
                .isEqualTo(7);
        Counter without = Counter.builder().name("a").withoutExemplars().build();
        without.incWithExemplar(2, labels);
        assertThat(without.collect().getDataPoints().getFirst().getExemplar()).isNull();
    }

    @Test
    void everyUpdateWithAnExemplarCountsAndExposesIt() {
        Labels labels = Labels.of("request", "17");
        Counter fractional = Counter.builder().name("a").build();
        fractional.incWithExemplar(0.5, labels);
        Gauge set = Gauge.builder().name("b").build();
        set.inc(5);
        set.setWithExemplar(3, labels);
        assertThat(fractional.get()).isEqualTo(0.5);
        assertThat(set.get()).isEqualTo(3);
        List<Exemplar> exemplars = List.of(
                fractional.collect().getDataPoints().getFirst().getExemplar(),
                set.collect().getDataPoints().getFirst().getExemplar());
        assertThat(exemplars).extracting(Exemplar::getValue).containsExactly(0.5, 3.0);
        assertThat(exemplars)
                .extracting(each -> each.getLabels().get("request"))
                .containsOnly("17");
    }

    @Test
    void aBuilderAllowsExemplarsWhateverTheConfigurationSays() {
        PrometheusProperties off = PrometheusProperties.builder()
                .defaultMetricsProperties(
                        MetricsProperties.builder().exemplarsEnabled(false).build())
                .build();
        Counter without = Counter.builder(off).name("a").build();
        Counter with = Counter.builder(off).name("a").withExemplars().build();
        List.of(without, with).forEach(each -> each.incWithExemplar(2, Labels.of("request", "17")));
        assertThat(without.collect().getDataPoints().getFirst().getExemplar()).isNull();
        assertThat(with.collect().getDataPoints().getFirst().getExemplar()).isNotNull();
    }

    /** What the client's configuration says of the metric {@code a} alone. */
    private static PrometheusProperties configurationOfA(boolean exemplarsEnabled) {
        return PrometheusProperties.builder()
                .putMetricProperty(
                        "a",
                        MetricsProperties.builder()
                                .exemplarsEnabled(exemplarsEnabled)
                                .build())
                .build();
    }

    @Test
    void aBuilderTurnsExemplarsOffWhateverTheConfigurationSays() {
        PrometheusProperties on = configurationOfA(true);
        Counter counter = Counter.builder(on).name("a").withoutExemplars().build();
        counter.incWithExemplar(2, Labels.of("request", "17"));
        assertThat(counter.collect().getDataPoints().getFirst().getExemplar()).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"answers", "answers_total", "answers.total"})
    void aCountersNameIsTheClients(String name) {
        assertThat(Counter.builder().name(name).build().collect().getMetadata().getName())
                .isEqualTo(io.prometheus.metrics.core.metrics.Counter.builder()
                        .name(name)
                        .build()
                        .collect()
                        .getMetadata()
                        .getName());
    }

    @Test
    void theConfigurationOfAMetricTurnsItsExemplarsOff() {
        PrometheusProperties off = configurationOfA(false);
        Counter counter = Counter.builder(off).name("a").build();
        counter.incWithExemplar(2, Labels.of("request", "17"));
        assertThat(exemplars(counter)).isEmpty();
        Gauge gauge = Gauge.builder(off).name("a").build();
        gauge.setWithExemplar(2, Labels.of("request", "17"));
        assertThat(exemplars(gauge)).isEmpty();
    }

    /** A sampler that asks, when it is told of an update, what was counted. When it is read, another update comes. */
    private static final class WatchingSampler extends ExemplarSampler {
        private final List<Double> counted = new ArrayList<>();
        private DoubleSupplier count = () -> 0;
        private Runnable update = () -> {};

        WatchingSampler() {
            super(new ExemplarSamplerConfig(PrometheusProperties.get().getExemplarProperties(), 4));
        }

        void watch(DoubleSupplier theCount, Runnable anUpdate) {
            count = theCount;
            update = anUpdate;
        }

        @Override
        public void observe(double value) {
            counted.add(count.getAsDouble());
        }

        @Override
        public void observeWithExemplar(double value, Labels labels) {
            counted.add(count.getAsDouble());
        }

        @Override
        public Exemplars collect() {
            update.run();
            return super.collect();
        }
    }

    /** Otherwise a scrape could expose an exemplar, but not the update that it is of. */
    @Test
    void exemplarsAreSampledAfterTheUpdateAndReadBeforeTheValue() {
        WatchingSampler ofCounter = new WatchingSampler();
        Counter.DataPoint counter = new Counter.DataPoint(ofCounter);
        ofCounter.watch(counter::get, counter::inc);
        counter.inc();
        counter.inc(2);
        counter.inc(0.5);
        counter.incWithExemplar(4, Labels.EMPTY);
        counter.incWithExemplar(8.0, Labels.EMPTY);
        assertThat(ofCounter.counted).containsExactly(1.0, 3.0, 3.5, 7.5, 15.5);
        assertThat(counter.collect("a", Labels.EMPTY).getValue()).isEqualTo(16.5);

        WatchingSampler ofGauge = new WatchingSampler();
        Gauge.DataPoint gauge = new Gauge.DataPoint(ofGauge);
        ofGauge.watch(gauge::get, gauge::inc);
        gauge.set(3);
        gauge.setWithExemplar(5, Labels.EMPTY);
        gauge.incWithExemplar(2, Labels.EMPTY);
        assertThat(ofGauge.counted).containsExactly(3.0, 5.0, 7.0);
        assertThat(gauge.collect(Labels.EMPTY).getValue()).isEqualTo(8);

        WatchingSampler ofHistogram = new WatchingSampler();
        HistogramDataPoint histogram = new HistogramDataPoint(beginningAnew(new AtomicLong()), ofHistogram);
        ofHistogram.watch(histogram::getCount, () -> histogram.observe(1));
        histogram.observe(1);
        histogram.observeWithExemplar(2, Labels.EMPTY);
        assertThat(ofHistogram.counted).containsExactly(1.0, 2.0);
        assertThat(histogram.collect(Labels.EMPTY).getCount()).isEqualTo(3);
    }

    @Test
    void theResetDurationOfTheBuilderIsHeard() {
        Histogram.Builder builder = Histogram.builder().name("a").nativeResetDuration(2, TimeUnit.MINUTES);
        assertThat(HistogramSettings.of(builder.settings("a")).resetNanos()).isEqualTo(TimeUnit.MINUTES.toNanos(2));
    }

    /** One for each classic bucket, or some for all native ones. */
    @Test
    void aHistogramHasAsManyExemplarsAsTheClients() {
        Histogram.Builder classic = Histogram.builder().name("a").classicUpperBounds(1, 2);
        ExemplarSamplerConfig exemplars =
                HistogramSettings.of(classic.settings("a")).exemplars();
        assertThat(exemplars.getHistogramClassicUpperBounds()).containsExactly(1, 2, Double.POSITIVE_INFINITY);
        exemplars = HistogramSettings.of(classic.nativeOnly().settings("a")).exemplars();
        assertThat(exemplars.getHistogramClassicUpperBounds()).isNull();
        assertThat(exemplars.getNumberOfExemplars()).isEqualTo(4);
    }

    @Test
    void aHistogramThatBeginsAnewHasNoExemplarOfBefore() {
        AtomicLong nanos = new AtomicLong();
        HistogramDataPoint dataPoint = new HistogramDataPoint(
                beginningAnew(nanos),
                new ExemplarSampler(
                        new ExemplarSamplerConfig(PrometheusProperties.get().getExemplarProperties(), 4)));
        DoubleStream.of(1, 2, 4).forEach(value -> dataPoint.observeWithExemplar(value, Labels.of("request", "17")));
        nanos.addAndGet(100);
        assertThat(dataPoint.collect(Labels.EMPTY).getExemplars().size()).isPositive();
        assertThat(dataPoint.collect(Labels.EMPTY).getExemplars().size()).isZero();
    }

    @Test
    void aHistogramWithoutLabelsTellsItsSum() {
        Histogram histogram = Histogram.builder().name("a").build();
        histogram.observe(0.5);
        histogram.observe(2);
        assertThat(histogram.getSum()).isEqualTo(2.5);
    }

    /** The span that is current while a test runs. */
    private static final class Span implements SpanContext {
        private final boolean sampled;
        private int marked;

        Span(boolean sampled) {
            this.sampled = sampled;
        }

        @Override
        public String getCurrentTraceId() {
            return "0af7651916cd43dd8448eb211c80319c";
        }

        @Override
        public String getCurrentSpanId() {
            return "b7ad6b7169203331";
        }

        @Override
        public boolean isCurrentSpanSampled() {
            return sampled;
        }

        @Override
        public void markCurrentSpanAsExemplar() {
            marked++;
        }
    }

    /** The exemplars of the only data point: value, and labels, among them the trace and the span. */
    private static List<String> exemplars(Collector metric) {
        DataPointSnapshot dataPoint = metric.collect().getDataPoints().get(0);
        Iterable<Exemplar> exemplars = switch (dataPoint) {
            case CounterDataPointSnapshot counter ->
                Stream.ofNullable(counter.getExemplar()).toList();
            case GaugeSnapshot.GaugeDataPointSnapshot gauge ->
                Stream.ofNullable(gauge.getExemplar()).toList();
            case HistogramSnapshot.HistogramDataPointSnapshot histogram -> histogram.getExemplars();
            default -> throw new AssertionError(dataPoint);
        };
        List<String> found = new ArrayList<>();
        exemplars.forEach(exemplar -> found.add(exemplar.getValue() + " of " + exemplar.getLabels()));
        return found;
    }

    /** The updates that sample, each on a data point of its own: a sampler takes only the first within some time. */
    private static List<Collector> updatedInASpan() {
        List<Collector> updated = new ArrayList<>();
        for (Consumer<Counter> update :
                List.<Consumer<Counter>>of(Counter::inc, each -> each.inc(2L), each -> each.inc(0.5))) {
            Counter counter = Counter.builder()
                    .name("a")
                    .exemplarLabelsSupplier(() -> Labels.of("host", "b"))
                    .build();
            update.accept(counter);
            updated.add(counter);
        }
        Gauge gauge = Gauge.builder().name("a").build();
        gauge.inc();
        gauge.set(7);
        updated.add(gauge);
        for (Histogram histogram : List.of(
                Histogram.builder().name("a").classicUpperBounds(1, 2).build(),
                Histogram.builder().name("a").nativeOnly().build())) {
            histogram.observe(Double.NaN);
            histogram.observe(1.5);
            updated.add(histogram);
        }
        return updated;
    }

    private static List<Collector> clientsUpdatedInASpan() {
        List<Collector> updated = new ArrayList<>();
        for (Consumer<io.prometheus.metrics.core.metrics.Counter> update :
                List.<Consumer<io.prometheus.metrics.core.metrics.Counter>>of(
                        io.prometheus.metrics.core.metrics.Counter::inc, each -> each.inc(2L), each -> each.inc(0.5))) {
            io.prometheus.metrics.core.metrics.Counter counter = io.prometheus.metrics.core.metrics.Counter.builder()
                    .name("a")
                    .exemplarLabelsSupplier(() -> Labels.of("host", "b"))
                    .build();
            update.accept(counter);
            updated.add(counter);
        }
        io.prometheus.metrics.core.metrics.Gauge gauge =
                io.prometheus.metrics.core.metrics.Gauge.builder().name("a").build();
        gauge.set(7);
        updated.add(gauge);
        for (io.prometheus.metrics.core.metrics.Histogram histogram : List.of(
                io.prometheus.metrics.core.metrics.Histogram.builder()
                        .name("a")
                        .classicUpperBounds(1, 2)
                        .build(),
                io.prometheus.metrics.core.metrics.Histogram.builder()
                        .name("a")
                        .nativeOnly()
                        .build())) {
            histogram.observe(1.5);
            updated.add(histogram);
        }
        return updated;
    }

    /** Also if a newer one was sampled. */
    @Test
    void anExemplarThatIsGivenIsExposedAsByTheClient() {
        SpanContext before = SpanContextSupplier.getSpanContext();
        SpanContextSupplier.setSpanContext(new Span(true));
        try {
            List<CounterDataPoint> counters = List.of(
                    Counter.builder().name("a").build(),
                    io.prometheus.metrics.core.metrics.Counter.builder()
                            .name("a")
                            .build());
            List<GaugeDataPoint> gauges = List.of(
                    Gauge.builder().name("a").build(),
                    io.prometheus.metrics.core.metrics.Gauge.builder().name("a").build());
            counters.forEach(counter -> counter.incWithExemplar(2, Labels.EMPTY));
            gauges.forEach(gauge -> gauge.setWithExemplar(2, Labels.EMPTY));
            long given = System.currentTimeMillis();
            while (System.currentTimeMillis() == given) {
                Thread.onSpinWait();
            }
            counters.forEach(CounterDataPoint::inc);
            gauges.forEach(gauge -> gauge.set(1));
            for (List<?> pair : List.of(counters, gauges)) {
                assertThat(exemplars((Collector) pair.getFirst()))
                        .isEqualTo(exemplars((Collector) pair.getLast()))
                        .singleElement()
                        .asString()
                        .startsWith("2.0 of");
            }
        } finally {
            SpanContextSupplier.setSpanContext(before);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void exemplarsOfTheCurrentSpanAreSampledAsByTheClient(boolean sampled) {
        SpanContext before = SpanContextSupplier.getSpanContext();
        Span span = new Span(sampled);
        SpanContextSupplier.setSpanContext(span);
        try {
            List<Collector> actual = updatedInASpan();
            int marked = span.marked;
            List<Collector> expected = clientsUpdatedInASpan();
            for (int i = 0; i < expected.size(); i++) {
                assertThat(exemplars(actual.get(i)))
                        .as("update %d", i)
                        .isEqualTo(exemplars(expected.get(i)))
                        .hasSize(sampled ? 1 : 0)
                        .allSatisfy(exemplar ->
                                assertThat(exemplar).contains(span.getCurrentTraceId(), span.getCurrentSpanId()));
            }
            assertThat(marked).isEqualTo(sampled ? expected.size() : 0);
            assertThat(span.marked).isEqualTo(2 * marked);
        } finally {
            SpanContextSupplier.setSpanContext(before);
        }
    }

    /** If each of the two were collected, the registry would refuse the metric. */
    @Test
    void aDataPointThatIsRemovedAndMadeAgainMeanwhileIsCollectedOnce() {
        Counter counter = Counter.builder().name("again").labelNames("label").build();
        // Their hash codes are equal, so that they lie in one bin of a map: what is added comes behind the other.
        counter.labelValues("Aa").inc();
        counter.labelValues("BB").inc();
        List<String> collected = new ArrayList<>();
        List<Labels> all = counter.collect((_, labels) -> {
            if (collected.isEmpty()) {
                collected.add(labels.get("label"));
                counter.remove(labels.get("label"));
                counter.labelValues(labels.get("label")).inc();
            }
            return labels;
        });
        assertThat(all).hasSize(2).doesNotHaveDuplicates();
    }
}

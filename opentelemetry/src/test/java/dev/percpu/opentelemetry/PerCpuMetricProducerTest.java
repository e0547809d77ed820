package dev.percpu.opentelemetry;

import static io.opentelemetry.sdk.testing.assertj.OpenTelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.testing.FilledHeap;
import dev.percpu.testing.Jvm;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.sdk.common.Clock;
import io.opentelemetry.sdk.common.InstrumentationScopeInfo;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.testing.time.TestClock;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the SDK collects from a {@link PerCpuMetricProducer}. */
class PerCpuMetricProducerTest {

    private static final Attributes HELLO = Attributes.of(AttributeKey.stringKey("path"), "/hello");
    private static final Attributes BYE = Attributes.of(AttributeKey.stringKey("path"), "/bye");

    private final TestClock clock = TestClock.create();
    private final InstrumentationScopeInfo scope = InstrumentationScopeInfo.create("test");
    private final PerCpuMetricProducer producer = new PerCpuMetricProducer(scope, clock);
    private final InMemoryMetricReader reader = InMemoryMetricReader.create();
    private final Resource resource = Resource.create(Attributes.of(AttributeKey.stringKey("service.name"), "it"));
    private final SdkMeterProvider provider = SdkMeterProvider.builder()
            .setResource(resource)
            .registerMetricReader(reader)
            .registerMetricProducer(producer)
            .build();
    private final PerCpuHistogram millis =
            PerCpuHistogram.builder().bounds(5, 10, 1_000).build();

    @AfterEach
    void closeProvider() {
        provider.close();
    }

    private MetricData collectOne() {
        Collection<MetricData> metrics = reader.collectAllMetrics();
        assertThat(metrics).hasSize(1);
        return metrics.iterator().next();
    }

    private HistogramPointData collectPoint() {
        Collection<HistogramPointData> points = collectOne().getHistogramData().getPoints();
        assertThat(points).hasSize(1);
        return points.iterator().next();
    }

    private HistogramPointData collectPoint(String name) {
        return reader.collectAllMetrics().stream()
                .filter(metric -> metric.getName().equals(name))
                .flatMap(metric -> metric.getHistogramData().getPoints().stream())
                .findFirst()
                .orElseThrow();
    }

    /** As the SDK's own does, whose sum is a double. */
    @Test
    void theSumGoesOnAboveTheRangeOfALong() {
        producer.histogram("size", millis).setDivisor(4).register();
        for (int times = 1; times <= 5; times++) {
            millis.record(1L << 60, 4);
            assertThat(collectPoint().getSum()).isEqualTo(times * 0x1p60);
        }
        millis.record(-8);
        assertThat(collectPoint().getSum()).isEqualTo(5 * 0x1p60 - 2);
    }

    @Test
    void aHistogramComesWithAllThatItWasRegisteredWith() {
        long start = clock.now();
        producer.histogram("request.duration", millis)
                .setDescription("How long")
                .setUnit("s")
                .setDivisor(1_000)
                .setAttributes(HELLO)
                .register();
        millis.record(5);
        millis.record(6);
        millis.record(2_000);
        clock.advance(Duration.ofSeconds(1));

        assertThat(collectOne())
                .hasName("request.duration")
                .hasDescription("How long")
                .hasUnit("s")
                .hasResource(resource)
                .hasInstrumentationScope(scope)
                .hasHistogramSatisfying(histogram -> histogram
                        .isCumulative()
                        .hasPointsSatisfying(point -> point.hasStartEpochNanos(start)
                                .hasEpochNanos(start + 1_000_000_000)
                                .hasAttributes(HELLO)
                                .hasBucketBoundaries(0.005, 0.01, 1)
                                .hasBucketCounts(1, 1, 0, 1)
                                .hasCount(3)
                                .hasSum(2.011)));
        assertThat(collectOne().toString()).startsWith("request.duration ").contains("[1, 1, 0, 1]");
        HistogramPointData point = collectPoint();
        assertThat(point.hasMin()).isFalse();
        assertThat(point.hasMax()).isFalse();
        assertThat(point.getExemplars()).isEmpty();
    }

    @Test
    void countsAsTheSdksOwnHistogramDoes() {
        long seed = ThreadLocalRandom.current().nextLong();
        Random random = new Random(seed);
        producer.histogram("ours", millis).setDivisor(1_000).register();
        DoubleHistogram own = provider.get("test")
                .histogramBuilder("own")
                .setExplicitBucketBoundariesAdvice(List.of(0.005, 0.01, 1.0))
                .build();
        for (int i = 0; i < 2_000; i++) {
            // The bounds themselves, their neighbours, and others.
            long value = random.nextBoolean() ? random.nextLong(13) : random.nextLong(990, 1_010);
            millis.record(value);
            own.record(value / 1_000.0);
        }

        HistogramPointData ours = collectPoint("ours");
        HistogramPointData theirs = collectPoint("own");
        assertThat(ours.getBoundaries()).isEqualTo(theirs.getBoundaries());
        assertThat(ours.getCounts()).as("with seed %d", seed).isEqualTo(theirs.getCounts());
        assertThat(ours.getCount()).isEqualTo(theirs.getCount());
        assertThat(ours.getSum()).isCloseTo(theirs.getSum(), within(1e-9 * theirs.getSum()));
    }

    @Test
    void negativeValuesAreInTheFirstBucketWhereTheSdkDropsThem() {
        producer.histogram("ours", millis).setDivisor(1_000).register();
        DoubleHistogram own = provider.get("test")
                .histogramBuilder("own")
                .setExplicitBucketBoundariesAdvice(List.of(0.005, 0.01, 1.0))
                .build();
        for (long value : new long[] {-1, -5_000, 7, 2_000}) {
            millis.record(value);
            own.record(value / 1_000.0);
        }
        HistogramPointData ours = collectPoint("ours");
        assertThat(ours.getCounts()).containsExactly(2L, 1L, 0L, 1L);
        assertThat(ours.getSum()).isEqualTo(-2.994);
        assertThat(collectPoint("own").getCounts()).containsExactly(0L, 1L, 0L, 1L);
    }

    @Test
    void histogramsOfOneNameAreOneMetric() {
        PerCpuHistogram others = PerCpuHistogram.builder().bounds(7).build();
        producer.histogram("size", millis).setAttributes(HELLO).register();
        producer.histogram("size", others).setAttributes(BYE).register();
        millis.record(1);
        others.record(8);
        assertThat(collectOne())
                .hasHistogramSatisfying(histogram -> histogram.hasPointsSatisfying(
                        point -> point.hasAttributes(HELLO).hasBucketCounts(1, 0, 0, 0),
                        point -> point.hasAttributes(BYE).hasBucketCounts(0, 1)));
    }

    @Test
    void whatIsClosedIsNotExported() {
        HistogramRegistration registered = producer.histogram("size", millis).register();
        registered.close();
        assertThat(reader.collectAllMetrics()).isEmpty();

        producer.histogram("size", millis).register();
        registered.close();
        assertThat(reader.collectAllMetrics()).as("the second registration").hasSize(1);
    }

    /** A reader takes a new start for a new beginning, and would add the same values once more. */
    @Test
    void whatIsExportedBeginsWithTheRegistration() {
        millis.record(1);
        HistogramRegistration registered = producer.histogram("size", millis).register();
        assertThat(collectPoint().getCount()).as("from before").isZero();
        millis.record(7);
        millis.record(8);
        assertThat(collectPoint().getCounts()).containsExactly(0L, 2L, 0L, 0L);
        registered.close();
        millis.record(2);
        clock.advance(Duration.ofSeconds(1));

        long again = clock.now();
        producer.histogram("size", millis).register();
        millis.record(2_000);
        HistogramPointData point = collectPoint();
        assertThat(point.getStartEpochNanos()).isEqualTo(again);
        assertThat(point.getCounts()).containsExactly(0L, 0L, 0L, 1L);
        assertThat(point.getSum()).isEqualTo(2_000);
    }

    /** Whoever writes a log takes what came since its last line. For the SDK that is no new beginning. */
    @Test
    void whatIsResetIsExportedAllTheSame() {
        long start = clock.now();
        producer.histogram("size", millis).register();
        millis.record(7);
        millis.record(8);
        assertThat(millis.snapshotThenReset().count()).isEqualTo(2);
        clock.advance(Duration.ofSeconds(1));
        millis.record(2_000);
        HistogramPointData point = collectPoint();
        assertThat(point.getStartEpochNanos()).isEqualTo(start);
        assertThat(point.getCounts()).containsExactly(0L, 2L, 0L, 1L);
        assertThat(point.getSum()).isEqualTo(2_015);
    }

    @Test
    void theScopeIsTheOneThatWasNamed() {
        PerCpuMetricProducer named = PerCpuMetricProducer.create("test");
        named.histogram("size", millis).register();
        assertThat(named.produce(Resource.empty()))
                .extracting(MetricData::getInstrumentationScopeInfo)
                .containsExactly(scope);
        assertThat(named).hasToString("PerCpuMetricProducer of test");
    }

    @Test
    void withoutHistogramsThereIsNothing() {
        assertThat(reader.collectAllMetrics()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1st", "a b", "größe", "_a", "a\n"})
    void namesThatTheSdkWouldNotTakeAreRefused(String name) {
        assertThatThrownBy(() -> producer.histogram(name, millis))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not \"" + name + '"');
    }

    @Test
    void aNameIsUpTo255Characters() {
        producer.histogram("a".repeat(255), millis).register();
        assertThat(reader.collectAllMetrics()).hasSize(1);
        assertThatThrownBy(() -> producer.histogram("a".repeat(256), millis))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aNameCanHaveEachCharacterThatTheSdkTakes() {
        producer.histogram("aZ09_.-/", millis).register();
        assertThat(collectOne()).hasName("aZ09_.-/");
    }

    /** In Turkish, the small letter of "I" is another one than "i". */
    @Test
    void namesThatDifferInCaseOnlyAreTheSameInEachLocale() {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("tr"));
        try {
            producer.histogram("size", millis).register();
            assertThatThrownBy(() -> producer.histogram("SIZE", millis).register())
                    .isInstanceOf(IllegalArgumentException.class);
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void nothingCanBeNull() {
        HistogramMetricBuilder registration = producer.histogram("size", millis);
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> PerCpuMetricProducer.create((InstrumentationScopeInfo) null),
                () -> registration.setDescription(null),
                () -> registration.setUnit(null),
                () -> registration.setAttributes(null))) {
            assertThatThrownBy(call).isInstanceOf(NullPointerException.class);
        }
    }

    @Test
    void aHistogramWithoutBoundsIsRefused() {
        PerCpuHistogram without = PerCpuHistogram.builder().build();
        assertThatThrownBy(() -> producer.histogram("size", without))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("of the metric size ")
                .hasMessageContaining("builder().bounds(...)");
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
    void aDivisorIsPositiveAndFinite(double divisor) {
        assertThatThrownBy(() -> producer.histogram("size", millis).setDivisor(divisor))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("positive and finite")
                .hasMessageEndingWith("not " + divisor);
    }

    @Test
    void boundsThatAreNoLongerDifferentAreRefused() {
        PerCpuHistogram narrow =
                PerCpuHistogram.builder().bounds(1L << 60, (1L << 60) + 1).build();
        assertThatThrownBy(() -> producer.histogram("size", narrow).register())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the bounds of the metric size do not rise once they are divided by 1.0: " + 0x1p60
                        + " is there twice");
        assertThat(reader.collectAllMetrics()).isEmpty();
    }

    /** The SDK refuses the point of such a histogram in each collection, and all other metrics with it. */
    @Test
    void boundsThatBecomeInfiniteAreRefused() {
        assertThatThrownBy(() -> producer.histogram("size", millis)
                        .setDivisor(Double.MIN_VALUE)
                        .register())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("out of range");
        PerCpuHistogram one = PerCpuHistogram.builder().bounds(1L << 62).build();
        assertThatThrownBy(() -> producer.histogram("size", one)
                        .setDivisor(Double.MIN_NORMAL)
                        .register())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("out of range");
        assertThat(reader.collectAllMetrics()).isEmpty();
    }

    /** A thread registers between two steps of a collection. Tools refuse a point that ends before it begins. */
    @Test
    void noPointEndsBeforeItBegins() {
        List<PerCpuMetricProducer> collecting = new ArrayList<>();
        PerCpuMetricProducer interrupted = new PerCpuMetricProducer(scope, new Clock() {
            @Override
            public long now() {
                long now = clock.now();
                clock.advance(Duration.ofSeconds(1));
                if (!collecting.isEmpty()) {
                    collecting.removeFirst().histogram("size", millis).register();
                }
                return now;
            }

            @Override
            public long nanoTime() {
                return clock.nanoTime();
            }
        });
        collecting.add(interrupted);
        for (int times = 0; times < 2; times++) {
            assertThat(interrupted.produce(resource))
                    .flatExtracting(metric -> metric.getHistogramData().getPoints())
                    .allSatisfy(point -> assertThat(point.getEpochNanos()).isGreaterThan(point.getStartEpochNanos()));
        }
        assertThat(interrupted.produce(resource)).hasSize(1);
    }

    @Test
    void aSecondRegistrationHasToDifferInItsAttributesOnly() {
        producer.histogram("size", millis).setUnit("By").setAttributes(HELLO).register();
        millis.record(1);
        assertThatThrownBy(() -> producer.histogram("size", millis)
                        .setUnit("By")
                        .setAttributes(HELLO)
                        .register())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("registered already");
        assertThatThrownBy(() -> producer.histogram("size", millis)
                        .setUnit("s")
                        .setAttributes(BYE)
                        .register())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a metric has one name, unit and description: registered is size in \"By\", \"\", so it"
                        + " cannot also be size in \"s\", \"\"");
        assertThatThrownBy(() -> producer.histogram("size", millis)
                        .setUnit("By")
                        .setDescription("How large")
                        .setAttributes(BYE)
                        .register())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("How large");
        assertThatThrownBy(() -> producer.histogram("Size", millis)
                        .setUnit("By")
                        .setAttributes(BYE)
                        .register())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Size");
        assertThat(collectPoint().getCount()).as("since the first registration").isOne();
    }

    /** The page says so. */
    @Test
    void aHistogramWithoutValuesIsExportedWhereTheSdkHasNoPoint() {
        producer.histogram("ours", millis).register();
        DoubleHistogram own = provider.get("test").histogramBuilder("own").build();
        assertThat(collectOne()).hasName("ours");
        assertThat(collectPoint().getCount()).isZero();
        own.record(7);
        assertThat(collectPoint("own").getCount()).isOne();
    }

    /** With many series, to compare each with all others would take most of the time. */
    @Test
    void aRegistrationIsComparedWithFewOthers() {
        int series = 500;
        AtomicInteger comparisons = new AtomicInteger();
        List<HistogramRegistration> registered = new ArrayList<>();
        for (int i = 0; i < series; i++) {
            Attributes attributes = Attributes.of(AttributeKey.longKey("i"), (long) i);
            registered.add(producer.histogram("size", millis)
                    .setAttributes(watched(attributes, name -> comparisons.addAndGet(name.equals("equals") ? 1 : 0)))
                    .register());
        }
        assertThat(collectOne().getHistogramData().getPoints()).hasSize(series);
        registered.forEach(HistogramRegistration::close);
        assertThat(reader.collectAllMetrics()).isEmpty();
        assertThat(comparisons).hasValueLessThan(10 * series);
    }

    /** Metrics come and go, and so do the series of one that stays. */
    @Test
    void threadsRegisterAndCloseWhileAReaderCollects() throws Exception {
        int threads = 4;
        int rounds = 5_000;
        producer.histogram("kept", millis).register();
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            List<Future<?>> ended = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                Attributes own = Attributes.of(AttributeKey.longKey("thread"), (long) i);
                String name = "size" + i;
                ended.add(executor.submit(() -> {
                    for (int round = 0; round < rounds; round++) {
                        producer.histogram("kept", millis)
                                .setAttributes(own)
                                .register()
                                .close();
                        producer.histogram(name, millis).register().close();
                    }
                    return null;
                }));
            }
            while (!ended.stream().allMatch(Future::isDone)) {
                assertThat(producer.produce(resource))
                        .extracting(MetricData::getName)
                        .startsWith("kept")
                        .doesNotHaveDuplicates();
            }
            for (Future<?> end : ended) {
                end.get();
            }
        }
        assertThat(collectPoint().getAttributes()).isEqualTo(Attributes.empty());
    }

    /** The attributes' own code can throw, and so can any step where the heap is full. */
    @Test
    void aFailedRegistrationLeavesTheNameFree() {
        Attributes failing = watched(HELLO, name -> {
            if (name.equals("hashCode")) {
                throw new IllegalStateException("no hash code");
            }
        });
        assertThatThrownBy(() -> producer.histogram("size", millis)
                        .setAttributes(failing)
                        .register())
                .hasMessage("no hash code");
        producer.histogram("size", millis).setAttributes(HELLO).register();
        assertThat(collectOne()).hasName("size");
    }

    /** Attributes that tell of each call of a method of theirs, by its name. */
    private static Attributes watched(Attributes attributes, Consumer<String> call) {
        return (Attributes) Proxy.newProxyInstance(
                Attributes.class.getClassLoader(), new Class<?>[] {Attributes.class}, (_, method, arguments) -> {
                    call.accept(method.getName());
                    return method.invoke(attributes, arguments);
                });
    }

    @Test
    void aMetricCanHaveAnotherUnitOnceItsLastSeriesIsClosed() {
        HistogramRegistration hello =
                producer.histogram("size", millis).setAttributes(HELLO).register();
        HistogramRegistration bye =
                producer.histogram("size", millis).setAttributes(BYE).register();
        hello.close();
        hello.close();
        HistogramMetricBuilder other =
                producer.histogram("SIZE", millis).setUnit("By").setAttributes(HELLO);
        assertThatThrownBy(other::register).isInstanceOf(IllegalArgumentException.class);
        bye.close();
        HistogramRegistration again = other.register();
        hello.close();
        assertThat(collectOne()).hasName("SIZE").hasUnit("By");
        again.close();
        assertThat(reader.collectAllMetrics()).isEmpty();
    }

    /** Between any two steps of a close other threads may fill the heap. */
    @Test
    void aNameCanBeRegisteredAgainAfterACloseWhileTheHeapBecameFull() {
        // Without buffers for threads there is one end of the heap, so it can be filled exactly.
        Jvm.Result result = Jvm.asHere()
                .option("-XX:-UseTLAB")
                .option("-Xmx16m")
                .withPathsOfHere()
                .run(FullHeap.class);
        assertThat(result.output()).contains("registered again");
        assertThat(result.status()).isZero();
    }

    /** Closes a registration whose attributes, which the close looks up, fill the heap. */
    static final class FullHeap {
        private static final FilledHeap HEAP = new FilledHeap();

        /** One that is boxed already. */
        private static final Integer HASH = 7;

        private static boolean fills;
        private static boolean filled;

        private FullHeap() {}

        public static void main(String[] arguments) {
            Attributes filling = (Attributes) Proxy.newProxyInstance(
                    Attributes.class.getClassLoader(), new Class<?>[] {Attributes.class}, (_, method, _) -> {
                        if (!method.getName().equals("hashCode")) {
                            return method.invoke(HELLO);
                        }
                        if (fills) {
                            HEAP.fill(0, FilledHeap.STILL);
                            filled = true;
                        }
                        return HASH;
                    });
            PerCpuMetricProducer producer = PerCpuMetricProducer.create("test");
            PerCpuHistogram histogram = PerCpuHistogram.builder().bounds(5).build();
            // The first use of each step, and of the handler, takes memory.
            close(producer.histogram("SIZE", histogram).setAttributes(filling).register());
            close(() -> {
                throw new OutOfMemoryError("not really");
            });
            HistogramRegistration registered =
                    producer.histogram("SIZE", histogram).setAttributes(filling).register();
            fills = true;
            close(registered);
            fills = false;
            registered.close();
            producer.histogram("SIZE", histogram).register().close();
            System.out.println(filled ? "registered again" : "the heap was not full");
        }

        private static void close(HistogramRegistration registered) {
            try {
                registered.close();
            } catch (OutOfMemoryError brokenOff) {
                // The name must be free all the same.
            } finally {
                HEAP.empty();
            }
        }
    }

    @Test
    void losesNothingWhileThreadsRecordAndAReaderCollects() throws InterruptedException {
        int threads = 4;
        int times = 100_000;
        producer.histogram("size", millis).register();
        List<Thread> started = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            Thread.Builder builder = i % 2 == 0 ? Thread.ofPlatform() : Thread.ofVirtual();
            started.add(builder.start(() -> {
                for (int n = 0; n < times; n++) {
                    millis.record(n % 20);
                }
            }));
        }
        long before = 0;
        for (Thread thread : started) {
            while (thread.isAlive()) {
                HistogramPointData point = collectPoint();
                assertThat(point.getCount())
                        .isGreaterThanOrEqualTo(before)
                        .isEqualTo(point.getCounts().stream()
                                .mapToLong(Long::longValue)
                                .sum());
                before = point.getCount();
                thread.join(1);
            }
        }
        long each = (long) threads * times / 20;
        HistogramPointData point = collectPoint();
        assertThat(point.getCounts()).containsExactly(6 * each, 5 * each, 9 * each, 0L);
        assertThat(point.getSum()).isEqualTo(190.0 * each);
    }
}

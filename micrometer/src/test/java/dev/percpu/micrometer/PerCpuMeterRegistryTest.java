package dev.percpu.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.percpu.testing.Garbage;
import dev.percpu.testing.LogCapture;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.LongTaskTimer;
import io.micrometer.core.instrument.Measurement;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MockClock;
import io.micrometer.core.instrument.Statistic;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.simple.SimpleConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.tracer.common.SpanContext;
import java.io.IOException;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What the exporter shows of what was recorded. */
class PerCpuMeterRegistryTest {
    private static final double INFINITY = Double.POSITIVE_INFINITY;

    private final MockClock clock = new MockClock();
    private final PrometheusMeterRegistry exporter =
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT, new PrometheusRegistry(), clock);
    private final MeterRegistry registry = new PerCpuMeterRegistry(exporter);

    /** Its thread ends the steps of their maxima. */
    @Test
    void aTimerAndASummaryKeepTheRegistry() {
        for (Function<MeterRegistry, Meter> kind : List.<Function<MeterRegistry, Meter>>of(
                registry -> registry.timer("kept"), registry -> registry.summary("kept"))) {
            MeterOfNobodysRegistry made = MeterOfNobodysRegistry.make(kind);
            try {
                System.gc();
                assertThat(made.registry.get())
                        .as(made.meter.getId().toString())
                        .isNotNull();
            } finally {
                Reference.reachabilityFence(made);
            }
        }
    }

    /** Nor does its thread keep a registry, of whose meters nobody has one. */
    @Test
    void aRegistryThatNobodyHasIsCollected() throws InterruptedException {
        WeakReference<MeterRegistry> registry =
                MeterOfNobodysRegistry.make(of -> of.timer("forgotten")).registry();
        // The thread has it for a moment in each second.
        Garbage.collectUntil(() -> registry.refersTo(null));
    }

    private record MeterOfNobodysRegistry(WeakReference<MeterRegistry> registry, Meter meter) {
        static MeterOfNobodysRegistry make(Function<MeterRegistry, Meter> kind) {
            MeterRegistry registry = new PerCpuMeterRegistry(new SimpleMeterRegistry());
            return new MeterOfNobodysRegistry(new WeakReference<>(registry), kind.apply(registry));
        }
    }

    private List<String> scraped() {
        return exporter.scrape().lines().filter(line -> !line.startsWith("#")).toList();
    }

    @Test
    void theExporterShowsWhatWasRecorded() {
        Counter counter =
                Counter.builder("requests").tag("path", "/").baseUnit("calls").register(registry);
        counter.increment();
        counter.increment(1);
        counter.increment(0.5);

        Timer timer = registry.timer("latency", "path", "/");
        timer.record(Duration.ofMillis(250));
        timer.record(1, TimeUnit.SECONDS);
        timer.record(-1, TimeUnit.SECONDS);

        DistributionSummary summary =
                DistributionSummary.builder("size").baseUnit("bytes").scale(2).register(registry);
        summary.record(10);
        summary.record(20.5);
        summary.record(-1);
        summary.record(Double.NaN);

        assertThat(scraped())
                .containsExactlyInAnyOrder(
                        "requests_calls_total{path=\"/\"} 2.5",
                        "latency_seconds_count{path=\"/\"} 2",
                        "latency_seconds_sum{path=\"/\"} 1.25",
                        "latency_max_seconds{path=\"/\"} 1.0",
                        "size_count_total 2.0",
                        "size_total_bytes_total 61.0",
                        "size_max_bytes 41.0");
        assertThat(summary.totalAmount()).isEqualTo(61);
        assertThat(summary.max()).isEqualTo(41);
        assertThat(timer.mean(TimeUnit.MILLISECONDS)).isEqualTo(625);
    }

    @Test
    void theExporterHasTheDescriptions() {
        Counter.builder("requests").description("Requests so far").register(registry);
        Timer.builder("latency").description("How long they took").register(registry);
        DistributionSummary.builder("size").description("How large they were").register(registry);
        Gauge.builder("queue", () -> 1).description("How many wait").register(registry);
        assertThat(exporter.scrape().lines())
                .contains(
                        "# HELP requests_total Requests so far",
                        "# HELP latency_seconds How long they took",
                        "# HELP latency_max_seconds How long they took",
                        "# HELP size_count_total How large they were",
                        "# HELP size_total How large they were",
                        "# HELP size_max How large they were",
                        "# HELP queue How many wait");
    }

    /** Each kind that is passed on has a builder of its own to be passed on with. */
    @Test
    void whatIsPassedOnHasTheTagsTheDescriptionAndTheUnitThatItWouldHaveInTheExporterAlone() {
        SimpleMeterRegistry behind = new SimpleMeterRegistry();
        SimpleMeterRegistry alone = new SimpleMeterRegistry();
        PerCpuMeterRegistry front = new PerCpuMeterRegistry(behind);
        AtomicInteger number = new AtomicInteger();
        for (MeterRegistry each : List.of(front, alone)) {
            Timer.builder("timer")
                    .publishPercentiles(0.5)
                    .tag("of", "timer")
                    .description("a timer")
                    .register(each);
            DistributionSummary.builder("summary")
                    .publishPercentiles(0.5)
                    .tag("of", "summary")
                    .description("a summary")
                    .baseUnit("bytes")
                    .register(each);
            LongTaskTimer.builder("job")
                    .publishPercentiles(0.5)
                    .tag("of", "job")
                    .description("a job")
                    .register(each);
            Gauge.builder("gauge", number, AtomicInteger::get)
                    .tag("of", "gauge")
                    .description("a gauge")
                    .baseUnit("bytes")
                    .register(each);
            TimeGauge.builder("age", number, TimeUnit.MILLISECONDS, AtomicInteger::get)
                    .tag("of", "age")
                    .description("an age")
                    .register(each);
            FunctionCounter.builder("calls", number, AtomicInteger::get)
                    .tag("of", "calls")
                    .description("a counter")
                    .baseUnit("bytes")
                    .register(each);
            FunctionTimer.builder("work", number, AtomicInteger::get, AtomicInteger::get, TimeUnit.SECONDS)
                    .tag("of", "work")
                    .description("a timer")
                    .register(each);
            Meter.builder("custom", Meter.Type.OTHER, List.of())
                    .tag("of", "custom")
                    .description("a meter")
                    .baseUnit("bytes")
                    .register(each);
        }
        assertThat(identities(behind)).isEqualTo(identities(alone));
        assertThat(identities(front)).isEqualTo(identities(alone));
        assertThat(behind.get("job").longTaskTimer().takeSnapshot().percentileValues())
                .hasSize(1);
    }

    private static Map<String, String> identities(MeterRegistry registry) {
        Map<String, String> identities = new TreeMap<>();
        for (Meter meter : registry.getMeters()) {
            Meter.Id id = meter.getId();
            // The gauges of percentiles follow from the meter.
            if (!id.getName().endsWith(".percentile")) {
                identities.put(id.getName(), id.getTags() + ", " + id.getDescription() + ", " + id.getBaseUnit());
            }
        }
        return identities;
    }

    @Test
    void theTimerOfTheExporterHasThePauseDetector() {
        CountingDetector detector = new CountingDetector();
        Timer.builder("timer").publishPercentiles(0.5).pauseDetector(detector).register(registry);
        assertThat(detector.lookedUp()).isPositive();
    }

    @Test
    void theExporterKeepsWhatOnlyItCanExport() {
        Timer timer = Timer.builder("latency")
                .publishPercentiles(0.5)
                .serviceLevelObjectives(Duration.ofMillis(100), Duration.ofMillis(500))
                .minimumExpectedValue(Duration.ofMillis(1))
                .register(registry);
        timer.record(Duration.ofMillis(250));
        DistributionSummary summary = DistributionSummary.builder("size")
                .serviceLevelObjectives(100, 500)
                .scale(10)
                .register(registry);
        summary.record(25);
        assertThat(scraped())
                .contains(
                        "latency_seconds_count 1",
                        "latency_seconds_max 0.25",
                        "latency_seconds_bucket{le=\"0.1\"} 0",
                        "latency_seconds_bucket{le=\"0.5\"} 1",
                        "size_sum 250.0",
                        "size_bucket{le=\"100.0\"} 0",
                        "size_bucket{le=\"500.0\"} 1");
        assertThat(timer.count()).isOne();
        assertThat(timer.totalTime(TimeUnit.MILLISECONDS)).isEqualTo(250);
        assertThat(timer.max(TimeUnit.MILLISECONDS)).isEqualTo(250);
        assertThat(timer.takeSnapshot().percentileValues()).hasSize(1);
        assertThat(summary.max()).isEqualTo(250);
        assertThat(summary.count()).isOne();
    }

    @Test
    void allOtherMetersAreTheExportersToo() {
        AtomicInteger number = new AtomicInteger(7);
        Gauge gauge = Gauge.builder("queue", number, AtomicInteger::get).register(registry);
        TimeGauge timeGauge = TimeGauge.builder("age", number, TimeUnit.MILLISECONDS, AtomicInteger::get)
                .register(registry);
        Gauge strong = Gauge.builder("strong", () -> 5).register(registry);
        registry.more().counter("calls", Tags.empty(), number);
        registry.more().timer("work", Tags.empty(), number, _ -> 3, _ -> 6, TimeUnit.SECONDS);
        LongTaskTimer longTaskTimer = registry.more().longTaskTimer("job");
        LongTaskTimer.Sample sample = longTaskTimer.start();
        clock.add(2, TimeUnit.SECONDS);
        Meter.builder("custom", Meter.Type.OTHER, List.of(new Measurement(() -> 4.0, Statistic.VALUE)))
                .register(registry);
        assertThat(scraped())
                .contains(
                        "queue 7.0",
                        "age_seconds 0.007",
                        "strong 5.0",
                        "calls_total 7.0",
                        "work_seconds_count 3",
                        "work_seconds_sum 6.0",
                        "job_seconds_count 1",
                        "job_seconds_sum 2.0",
                        "custom_value{statistic=\"VALUE\"} 4.0");
        assertThat(gauge.value()).isEqualTo(7);
        assertThat(strong.value()).isEqualTo(5);
        assertThat(timeGauge.value(TimeUnit.MILLISECONDS)).isEqualTo(7);
        assertThat(longTaskTimer.activeTasks()).isOne();
        assertThat(longTaskTimer.max(TimeUnit.SECONDS)).isEqualTo(2);
        assertThat(sample.stop()).isEqualTo(Duration.ofSeconds(2).toNanos());
        assertThat(longTaskTimer.activeTasks()).isZero();
    }

    @Test
    void whatIsRemovedHereIsRemovedThere() {
        AtomicInteger number = new AtomicInteger();
        List<Meter> meters = List.of(
                registry.counter("counter"),
                registry.timer("timer"),
                registry.summary("summary"),
                Timer.builder("percentiles").publishPercentiles(0.9).register(registry),
                Gauge.builder("gauge", number, AtomicInteger::get).register(registry),
                TimeGauge.builder("age", number, TimeUnit.MILLISECONDS, AtomicInteger::get)
                        .register(registry),
                registry.more().longTaskTimer("job"));
        assertThat(exporter.getMeters()).hasSizeGreaterThan(meters.size());
        for (Meter meter : meters) {
            assertThat(registry.remove(meter)).isSameAs(meter);
        }
        assertThat(registry.getMeters()).isEmpty();
        assertThat(exporter.getMeters()).isEmpty();
        // It begins at 0 again.
        registry.counter("counter").increment();
        assertThat(scraped()).containsExactly("counter_total 1.0");
    }

    /** Then Micrometer does not keep it, and makes another when it is asked again. */
    @Test
    void aMeterThatAListenerRefusesIsNotLeftWithTheExporter() {
        AtomicInteger refusals = new AtomicInteger();
        registry.config().onMeterAdded(meter -> {
            if (refusals.getAndIncrement() % 2 == 0) {
                throw new IllegalStateException("for the test");
            }
        });
        for (Function<MeterRegistry, Meter> kind : List.<Function<MeterRegistry, Meter>>of(
                each -> each.counter("counter"),
                each -> Timer.builder("slow").publishPercentiles(0.9).register(each))) {
            assertThatIllegalStateException().isThrownBy(() -> kind.apply(registry));
            Meter meter = kind.apply(registry);
            assertThat(registry.remove(meter)).isSameAs(meter);
            assertThat(exporter.getMeters()).isEmpty();
        }
    }

    /** Filters of both registries apply, each to its own meters. */
    @Test
    void tagsOfTheExporterAreAddedThere() {
        exporter.config().commonTags("zone", "a");
        registry.config().commonTags("app", "b");
        registry.config().meterFilter(MeterFilter.denyNameStartsWith("secret"));
        Counter counter = registry.counter("requests");
        counter.increment();
        registry.counter("secret").increment();
        assertThat(scraped()).containsExactly("requests_total{app=\"b\",zone=\"a\"} 1.0");
        assertThat(registry.remove(counter)).isSameAs(counter);
        assertThat(exporter.getMeters()).isEmpty();
    }

    @Test
    void aNameThatIsTakenByAnotherKindIsRefused() {
        registry.counter("taken");
        assertThatIllegalArgumentException().isThrownBy(() -> registry.timer("taken"));
        // Also if only the exporter knows of it.
        exporter.timer("elsewhere");
        assertThatIllegalArgumentException().isThrownBy(() -> registry.counter("elsewhere"));
        assertThat(registry.find("elsewhere").counter()).isNull();
        // Of a timer's two counterparts the exporter has both or none.
        exporter.counter("slow.max");
        assertThatIllegalArgumentException().isThrownBy(() -> registry.timer("slow"));
        assertThat(registry.find("slow").meter()).isNull();
        assertThat(exporter.find("slow").meter()).isNull();
    }

    /** An increment that is not above 0 does what it does in Micrometer's registry for Prometheus: nothing. */
    @Test
    void oddIncrementsLeaveAllMetersToTheScrape() {
        PrometheusMeterRegistry alone =
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT, new PrometheusRegistry(), clock);
        for (double amount : new double[] {-2.5, -1, -0.0, 0, Double.NaN, -INFINITY, INFINITY, Double.MIN_VALUE}) {
            Counter ours = registry.counter("some", "amount", Double.toString(amount));
            Counter theirs = alone.counter("some", "amount", Double.toString(amount));
            for (Counter counter : List.of(ours, theirs)) {
                counter.increment(amount);
            }
            assertThat(ours.count()).as("%s", amount).isEqualTo(theirs.count());
        }
        assertThat(exporter.scrape()).isEqualTo(alone.scrape());

        SimpleMeterRegistry simple = new SimpleMeterRegistry();
        new PerCpuMeterRegistry(simple).counter("some").increment(-1);
        assertThat(simple.get("some").functionCounter().count()).isZero();
    }

    /** Odd times of a timer and amounts of a summary do what they do in Micrometer's own registry. */
    @Test
    void oddAmountsDoWhatTheyDoInTheSimpleRegistry() {
        for (long nanos : new long[] {-1, 0, Long.MIN_VALUE, Long.MAX_VALUE}) {
            Timer ours = registry.timer("odd", "nanos", Long.toString(nanos));
            Timer simple = new SimpleMeterRegistry().timer("odd");
            for (Timer timer : List.of(ours, simple)) {
                timer.record(nanos, TimeUnit.NANOSECONDS);
            }
            assertThat(ours.count()).as("%d ns", nanos).isEqualTo(simple.count());
            assertThat(ours.totalTime(TimeUnit.NANOSECONDS))
                    .as("%d ns", nanos)
                    .isEqualTo(Double.valueOf(simple.totalTime(TimeUnit.NANOSECONDS)));
            assertThat(ours.max(TimeUnit.NANOSECONDS)).as("%d ns", nanos).isEqualTo(simple.max(TimeUnit.NANOSECONDS));
        }
        double[] amounts = {
            -2.5,
            -0.0,
            0,
            Double.MIN_VALUE,
            1.5,
            Double.MAX_VALUE,
            Double.NaN,
            Double.POSITIVE_INFINITY,
            Double.NEGATIVE_INFINITY
        };
        for (double amount : amounts) {
            for (double scale : new double[] {1, -2, 0}) {
                DistributionSummary ours = DistributionSummary.builder("odd.size")
                        .tag("amount", amount + " by " + scale)
                        .scale(scale)
                        .register(registry);
                DistributionSummary simple =
                        DistributionSummary.builder("odd.size").scale(scale).register(new SimpleMeterRegistry());
                for (DistributionSummary summary : List.of(ours, simple)) {
                    summary.record(amount);
                }
                assertThat(List.of((double) ours.count(), ours.totalAmount(), ours.max(), ours.mean()))
                        .as("%s by %s", amount, scale)
                        .isEqualTo(List.of((double) simple.count(), simple.totalAmount(), simple.max(), simple.mean()));
            }
        }
        // Also that of a negative scale, whose total cannot be a counter's.
        assertThat(scraped()).contains("odd_size_total{amount=\"1.5 by -2.0\"} 0.0");
    }

    /** Meters from before go on counting; those that are asked for afterwards do nothing. */
    @Test
    void aClosedRegistryDoesWhatTheSimpleRegistryDoes() {
        List<String> counts = new ArrayList<>();
        for (MeterRegistry each : List.of(registry, new SimpleMeterRegistry())) {
            Counter counter = each.counter("before");
            Timer timer = each.timer("before.timer");
            DistributionSummary summary = each.summary("before.summary");
            for (int i = 0; i < 2; i++) {
                counter.increment();
                timer.record(1, TimeUnit.SECONDS);
                summary.record(7);
                each.close();
                assertThat(each.isClosed()).isTrue();
            }
            each.counter("before").increment();
            each.counter("after").increment();
            each.timer("after.timer").record(1, TimeUnit.SECONDS);
            each.summary("after.summary").record(7);
            counts.add(counter.count() + " " + timer.count() + ' ' + summary.totalAmount() + ' '
                    + each.counter("before").count() + ' '
                    + each.counter("after").count() + ' '
                    + each.timer("after.timer").count() + ' '
                    + each.summary("after.summary").count());
        }
        assertThat(exporter.isClosed()).isTrue();
        assertThat(counts.getFirst()).isEqualTo(counts.getLast());
    }

    /** A span that is being traced, for every thread. */
    private static final class Span implements SpanContext {
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
            return true;
        }

        @Override
        public void markCurrentSpanAsExemplar() {
            // Nobody asks for it.
        }
    }

    /** Whoever reads a count later cannot know the span that it was recorded in. */
    @Test
    void onlyTheExportersOwnMetersHaveExemplars() {
        PrometheusMeterRegistry traced =
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT, new PrometheusRegistry(), clock, new Span());
        MeterRegistry inFront = new PerCpuMeterRegistry(traced);
        inFront.counter("calls").increment();
        inFront.timer("latency").record(1, TimeUnit.SECONDS);
        Timer.builder("slow")
                .serviceLevelObjectives(Duration.ofSeconds(2))
                .register(inFront)
                .record(1, TimeUnit.SECONDS);
        List<String> exemplars = traced.scrape("application/openmetrics-text")
                .lines()
                .filter(line -> line.contains("trace_id"))
                .toList();
        assertThat(exemplars).isNotEmpty().allMatch(line -> line.startsWith("slow_seconds"));
    }

    @Test
    void aStepExporterShowsWhatCameInTheStep() {
        SimpleMeterRegistry steps = new SimpleMeterRegistry(key -> key.equals("simple.mode") ? "STEP" : null, clock);
        PerCpuMeterRegistry inFront = new PerCpuMeterRegistry(steps);
        Timer timer = inFront.timer("timer");
        timer.record(2, TimeUnit.SECONDS);
        timer.record(4, TimeUnit.SECONDS);
        clock.add(SimpleConfig.DEFAULT.step());
        assertThat(steps.get("timer").functionTimer().count()).isEqualTo(2);
        assertThat(steps.get("timer").functionTimer().totalTime(TimeUnit.SECONDS))
                .isEqualTo(6);
        timer.record(3, TimeUnit.SECONDS);
        clock.add(SimpleConfig.DEFAULT.step());
        assertThat(steps.get("timer").functionTimer().count()).isOne();
        assertThat(timer.count()).isEqualTo(3);
    }

    @Test
    void maximaEndThoughNobodyReadsThem() {
        PerCpuMeterRegistry simple = new PerCpuMeterRegistry(new SimpleMeterRegistry(SimpleConfig.DEFAULT, clock));
        Timer timer = simple.timer("timer");
        timer.record(5, TimeUnit.SECONDS);
        clock.add(Duration.ofMinutes(5));
        simple.advanceMaxima();
        timer.record(1, TimeUnit.SECONDS);
        assertThat(timer.max(TimeUnit.SECONDS)).isEqualTo(1);
    }

    @Test
    void theThreadForMaximaGoesOnAfterAnErrorAndEndsWithTheRegistry() throws InterruptedException {
        // A function in a language without checked exceptions throws them all the same.
        for (Exception failure : List.of(new IllegalStateException("for the test"), new IOException("for the test"))) {
            AtomicReference<Thread> advancer = new AtomicReference<>();
            AtomicInteger looks = new AtomicInteger();
            Clock failing = new Clock() {
                @Override
                public long wallTime() {
                    if (Thread.currentThread().getName().equals("percpu-micrometer-maxima")) {
                        looks.incrementAndGet();
                        advancer.set(Thread.currentThread());
                        throw PerCpuMeterRegistryTest.<RuntimeException>unchecked(failure);
                    }
                    return clock.wallTime();
                }

                @Override
                public long monotonicTime() {
                    return clock.monotonicTime();
                }
            };
            PerCpuMeterRegistry simple =
                    new PerCpuMeterRegistry(new SimpleMeterRegistry(SimpleConfig.DEFAULT, failing));
            Timer timer = simple.timer("timer");
            // The logger that is told is the user's, too.
            Runnable throwing = () -> {
                throw new IllegalStateException("thrown by the logger");
            };
            try (LogCapture _ = new LogCapture(throwing)) {
                while (looks.get() < 2) {
                    Thread thread = advancer.get();
                    assertThat(thread == null || thread.isAlive()).isTrue();
                    Thread.sleep(10);
                }
            }
            simple.close();
            advancer.get().join();
            assertThat(timer.count()).isZero();
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Exception> RuntimeException unchecked(Exception failure) throws E {
        throw (E) failure;
    }

    /** An application can create the registry of a server that lives on without it. */
    @Test
    void theThreadForMaximaKeepsNeitherTheJvmNorTheClassLoaderAndTheGroupOfItsCreator() throws InterruptedException {
        ClassLoader loader = new ClassLoader() {};
        ThreadGroup group = new ThreadGroup("of the application");
        AtomicReference<MeterRegistry> created = new AtomicReference<>();
        Thread creator = new Thread(group, () -> created.set(new PerCpuMeterRegistry()));
        creator.setDaemon(false);
        creator.setContextClassLoader(loader);
        creator.start();
        creator.join();
        assertThat(Thread.getAllStackTraces().keySet())
                .filteredOn(thread -> thread.getName().equals("percpu-micrometer-maxima"))
                .isNotEmpty()
                .allSatisfy(thread -> {
                    assertThat(thread.isDaemon()).isTrue();
                    assertThat(thread.getContextClassLoader()).isNotSameAs(loader);
                    assertThat(thread.getThreadGroup()).isNotSameAs(group);
                });
        created.get().close();
    }

    @Test
    void nothingIsLost() throws InterruptedException {
        PerCpuMeterRegistry simple = new PerCpuMeterRegistry();
        int each = 50_000;
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = Thread.ofVirtual().start(() -> {
                Counter counter = simple.counter("counter");
                Timer timer = simple.timer("timer");
                DistributionSummary summary = simple.summary("summary");
                for (int n = 1; n <= each; n++) {
                    counter.increment();
                    counter.increment(0.25);
                    timer.record(n, TimeUnit.NANOSECONDS);
                    summary.record(n);
                }
            });
        }
        for (Thread thread : threads) {
            thread.join();
        }
        double total = threads.length * (each + 1.0) * each / 2;
        assertThat(simple.counter("counter").count()).isEqualTo(threads.length * each * 1.25);
        assertThat(simple.timer("timer").count()).isEqualTo((long) threads.length * each);
        assertThat(simple.timer("timer").totalTime(TimeUnit.NANOSECONDS)).isEqualTo(total);
        assertThat(simple.timer("timer").max(TimeUnit.NANOSECONDS)).isEqualTo(each);
        assertThat(simple.summary("summary").count()).isEqualTo((long) threads.length * each);
        assertThat(simple.summary("summary").totalAmount()).isEqualTo(total);
        assertThat(simple.summary("summary").max()).isEqualTo(each);
    }
}

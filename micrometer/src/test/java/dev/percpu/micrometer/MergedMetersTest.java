package dev.percpu.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.percpu.testing.Garbage;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.LongTaskTimer;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Several meters that are one for the exporter, since its filters give them the same id, or several share it. */
class MergedMetersTest {
    private final PrometheusMeterRegistry exporter = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final MeterRegistry registry = new PerCpuMeterRegistry(exporter);

    private List<String> scraped() {
        return exporter.scrape().lines().filter(line -> !line.startsWith("#")).toList();
    }

    static Stream<MeterFilter> mergers() {
        return Stream.of(
                MeterFilter.ignoreTags("uri"), MeterFilter.replaceTagValues("uri", _ -> "any"), new MeterFilter() {
                    @Override
                    public Meter.Id map(Meter.Id id) {
                        return id.replaceTags(List.of(Tag.of("where", "somewhere")));
                    }
                });
    }

    @ParameterizedTest
    @MethodSource("mergers")
    void whatAFilterOfTheExporterMergesIsAddedUp(MeterFilter merger) {
        exporter.config().meterFilter(merger);
        for (int times = 1; times <= 2; times++) {
            String uri = "/" + times;
            registry.counter("counter", "uri", uri).increment(times);
            registry.timer("timer", "uri", uri).record(Duration.ofSeconds(10L * times));
            registry.summary("summary", "uri", uri).record(100 * times);
            Timer.builder("slow")
                    .tag("uri", uri)
                    .serviceLevelObjectives(Duration.ofSeconds(15))
                    .register(registry)
                    .record(Duration.ofSeconds(10L * times));
        }
        assertThat(scraped().stream().map(line -> line.replaceFirst("\\{(any|uri|where)=\"\\w+\"}", "")))
                .contains(
                        "counter_total 3.0",
                        "timer_seconds_count 2",
                        "timer_seconds_sum 30.0",
                        "timer_max_seconds 20.0",
                        "summary_count_total 2.0",
                        "summary_total 300.0",
                        "summary_max 200.0",
                        "slow_seconds_count 2",
                        "slow_seconds_sum 30.0");
    }

    @Test
    void whatSeveralRegistriesInFrontCountIsAddedUp() throws InterruptedException {
        int each = 20_000;
        List<MeterRegistry> fronts = List.of(registry, new PerCpuMeterRegistry(exporter));
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            MeterRegistry front = fronts.get(i % 2);
            threads.add(Thread.ofVirtual().start(() -> {
                for (int n = 0; n < each; n++) {
                    front.counter("counter", "n", Integer.toString(n % 100)).increment();
                    front.timer("timer").record(Duration.ofNanos(1));
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        double counted = exporter.find("counter").functionCounters().stream()
                .mapToDouble(FunctionCounter::count)
                .sum();
        assertThat(counted).isEqualTo(4.0 * each);
        assertThat(exporter.find("counter").functionCounters()).hasSize(100);
        assertThat(exporter.get("timer").functionTimer().count()).isEqualTo(4.0 * each);
    }

    /** A counter of the exporter's never goes back: it would be taken for one that began anew. */
    @Test
    void whatARemovedMeterHasCountedStaysUntilTheLastIsRemoved() {
        exporter.config().meterFilter(MeterFilter.ignoreTags("uri"));
        Counter first = registry.counter("counter", "uri", "/a");
        Counter second = registry.counter("counter", "uri", "/b");
        Timer firstTimer = registry.timer("timer", "uri", "/a");
        Timer secondTimer = registry.timer("timer", "uri", "/b");
        Timer kept =
                Timer.builder("kept").tag("uri", "/a").publishPercentiles(0.5).register(registry);
        Timer keptToo =
                Timer.builder("kept").tag("uri", "/b").publishPercentiles(0.5).register(registry);
        first.increment(10);
        second.increment(1);
        firstTimer.record(Duration.ofSeconds(20));
        secondTimer.record(Duration.ofSeconds(2));
        Stream.of(first, firstTimer, kept).forEach(registry::remove);
        second.increment(1);
        keptToo.record(Duration.ofSeconds(3));
        assertThat(scraped())
                .contains(
                        "counter_total 12.0",
                        "timer_seconds_count 2",
                        "timer_seconds_sum 22.0",
                        "timer_max_seconds 2.0",
                        "kept_seconds_count 1");
        Stream.of(second, secondTimer, keptToo).forEach(registry::remove);
        assertThat(exporter.getMeters()).isEmpty();
        // It begins at 0 again.
        registry.counter("counter", "uri", "/b").increment();
        assertThat(scraped()).containsExactly("counter_total 1.0");
    }

    /** The same amounts in another order can have a sum that is less by its last bit. */
    @Test
    void aSumOfAmountsDoesNotGoBackByItsLastBits() {
        exporter.config().meterFilter(MeterFilter.ignoreTags("uri"));
        Random random = new Random(7);
        List<Counter> counters = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            Counter counter = registry.counter("counter", "uri", "/" + i);
            counter.increment(random.nextDouble());
            counters.add(counter);
        }
        FunctionCounter shown = exporter.get("counter").functionCounter();
        double before = shown.count();
        for (Counter counter : counters.subList(1, counters.size())) {
            registry.remove(counter);
            assertThat(shown.count()).isGreaterThanOrEqualTo(before);
            before = shown.count();
        }
        counters.getFirst().increment();
        assertThat(shown.count()).isGreaterThan(before);
    }

    /** Each thread's meter comes and goes, and counts 1 each time. */
    @Test
    void metersComeAndGoWhileTheSumIsRead() throws Exception {
        int rounds = 300_000;
        Merged merged = new Merged(Merged.Kind.COUNTER, 1);
        merged.add(registry.counter("kept"), () -> 1);
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<Future<?>> ended = new ArrayList<>();
            for (String name : List.of("a", "b")) {
                Meter meter = registry.counter(name);
                ended.add(threads.submit(() -> {
                    for (int round = 0; round < rounds; round++) {
                        merged.add(meter, () -> 1);
                        merged.remove(meter);
                    }
                }));
            }
            while (!ended.stream().allMatch(Future::isDone)) {
                assertThat(merged.first()).isBetween(1.0, 1.0 + 2 * rounds);
            }
            for (Future<?> end : ended) {
                end.get();
            }
        }
        assertThat(merged.first()).isEqualTo(1.0 + 2 * rounds);
    }

    /** There is a map of all exporters. */
    @Test
    void nobodyKeepsAnExporter() {
        WeakReference<MeterRegistry> exporterOfNobody = exporterOfNobody();
        while (!exporterOfNobody.refersTo(null)) {
            System.gc();
        }
    }

    private static WeakReference<MeterRegistry> exporterOfNobody() {
        MeterRegistry simple = new SimpleMeterRegistry();
        new PerCpuMeterRegistry(simple).counter("counter").increment();
        return new WeakReference<>(simple);
    }

    @Test
    void nobodyKeepsAMeterThatWasRemoved() {
        SimpleMeterRegistry simple = new SimpleMeterRegistry();
        MeterRegistry front = new PerCpuMeterRegistry(simple);
        WeakReference<Meter> removed = removedFrom(simple, front);
        try {
            while (!removed.refersTo(null)) {
                System.gc();
            }
        } finally {
            Reference.reachabilityFence(front);
        }
    }

    private static WeakReference<Meter> removedFrom(MeterRegistry simple, MeterRegistry front) {
        Meter meter = front.counter("counter");
        WeakReference<Meter> counterpart =
                new WeakReference<>(simple.get("counter").meter());
        front.remove(meter);
        return counterpart;
    }

    @Test
    void aNameThatSomethingElseHasIsRefusedAndNothingIsLeft() {
        Gauge.builder("size.max", () -> 42).register(registry);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> registry.summary("size"))
                .withMessageContaining("size.max");
        registry.summary("length").record(3);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Gauge.builder("length.max", () -> 42).register(registry))
                .withMessageContaining("length.max");
        assertThatIllegalArgumentException().isThrownBy(() -> registry.counter("length.total"));
        // Also if only the exporter knows of it.
        FunctionCounter.builder("elsewhere", this, _ -> 7).register(exporter);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> registry.counter("elsewhere"))
                .withMessageContaining("elsewhere");
        assertThat(registry.getMeters())
                .extracting(meter -> meter.getId().getName())
                .containsExactlyInAnyOrder("size.max", "length");
        assertThat(scraped())
                .containsExactlyInAnyOrder(
                        "size_max 42.0",
                        "length_count_total 1.0",
                        "length_total 3.0",
                        "length_max 3.0",
                        "elsewhere_total 7.0");
    }

    /** A listener of the exporter's can ask for meters while one is being registered. */
    @Test
    void aListenerOfTheExportersCanRegisterMeters() {
        SimpleMeterRegistry simple = new SimpleMeterRegistry();
        MeterRegistry front = new PerCpuMeterRegistry(simple);
        simple.config().onMeterAdded(meter -> {
            if (!meter.getId().getName().startsWith("meters")) {
                front.counter("meters", "name", meter.getId().getName()).increment();
            }
        });
        front.counter("counter").increment();
        DistributionSummary summary = front.summary("summary");
        summary.record(3);
        assertThat(simple.get("counter").functionCounter().count()).isOne();
        assertThat(simple.get("summary.total").functionCounter().count()).isEqualTo(3);
        assertThat(simple.find("meters").functionCounters()).hasSize(4);
    }

    /** What an exporter does not want is counted all the same. */
    @Test
    void deniedMetersAreNotRefused() {
        exporter.config().meterFilter(MeterFilter.deny());
        for (int i = 0; i < 2; i++) {
            registry.counter("counter", "i", Integer.toString(i)).increment();
            registry.summary("summary", "i", Integer.toString(i)).record(1);
        }
        assertThat(registry.find("counter").counters()).hasSize(2).allMatch(counter -> counter.count() == 1);
        registry.clear();
        assertThat(scraped()).isEmpty();
    }

    @Test
    void nothingIsLeftOfADeniedMeterThatIsRemoved() {
        exporter.config().meterFilter(MeterFilter.deny());
        for (int i = 0; i < 3; i++) {
            Timer slow = Timer.builder("slow").publishPercentiles(0.5).register(registry);
            List.of(registry.counter("counter"), registry.timer("timer"), registry.summary("summary"), slow)
                    .forEach(registry::remove);
        }
        assertThat(Exports.of(exporter).size()).isZero();
    }

    /** Its counters take memory of the area as long as they are reachable. */
    @Test
    void theExporterDoesNotKeepADeniedMeterWhoseRegistryIsDropped() throws InterruptedException {
        exporter.config().meterFilter(MeterFilter.deny());
        WeakReference<Meter> denied = counterOfADroppedRegistry();
        // The thread that ends the steps of maxima has the registry for a moment in each second.
        Garbage.collectUntil(() -> denied.refersTo(null));
    }

    private WeakReference<Meter> counterOfADroppedRegistry() {
        return new WeakReference<>(new PerCpuMeterRegistry(exporter).counter("counter"));
    }

    /** A filter can change its mind, as one that admits so many meters at a time. */
    @Test
    void removingADeniedMeterLeavesOneThatWasAllowedLater() {
        AtomicBoolean denies = new AtomicBoolean(true);
        exporter.config().meterFilter(MeterFilter.deny(_ -> denies.get()));
        Counter denied = registry.counter("counter");
        denies.set(false);
        MeterRegistry other = new PerCpuMeterRegistry(exporter);
        other.counter("counter").increment(2);
        registry.remove(denied);
        assertThat(scraped()).containsExactly("counter_total 2.0");
    }

    /** One registry in front removes what another one is about to use. */
    @Test
    void whatARegistryInFrontHasTheExporterHas() throws Exception {
        SimpleMeterRegistry simple = new SimpleMeterRegistry();
        Callable<Integer> use = () -> {
            MeterRegistry front = new PerCpuMeterRegistry(simple);
            int missing = 0;
            for (int i = 0; i < 20_000; i++) {
                LongTaskTimer timer = front.more().longTaskTimer("job");
                missing += simple.find("job").meter() == null ? 1 : 0;
                front.remove(timer);
            }
            return missing;
        };
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            Future<Integer> other = threads.submit(use);
            assertThat(use.call() + other.get()).isZero();
        }
        assertThat(simple.getMeters()).isEmpty();
    }

    /** The exporter removes by itself what another thread is about to use. */
    @Test
    void whatTheExporterRemovesMeanwhileIsNotTakenForSomebodyElses() throws Exception {
        SimpleMeterRegistry simple = new SimpleMeterRegistry();
        AtomicBoolean done = new AtomicBoolean();
        Runnable use = () -> {
            MeterRegistry front = new PerCpuMeterRegistry(simple);
            for (int i = 0; i < 50_000; i++) {
                front.remove(front.counter("counter"));
            }
            done.set(true);
        };
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<Future<?>> users = List.of(threads.submit(use), threads.submit(use));
            while (!done.get() && users.stream().noneMatch(Future::isDone)) {
                simple.clear();
            }
            for (Future<?> user : users) {
                Object _ = user.get();
            }
        }
    }

    /** If it were awaited until the exporter has removed the meter, the second registration would never return. */
    @Test
    void anExporterMayKeepWhatIsRemoved() {
        SimpleMeterRegistry keeping = new SimpleMeterRegistry() {
            @Override
            public @Nullable Meter remove(Meter.Id id) {
                return null;
            }
        };
        MeterRegistry front = new PerCpuMeterRegistry(keeping);
        for (int i = 0; i < 2; i++) {
            Counter counter = front.counter("counter");
            counter.increment();
            front.remove(counter);
        }
        assertThat(keeping.get("counter").functionCounter().count()).isEqualTo(2);
    }

    /** Whoever has registered a meter with the exporter keeps it. */
    @Test
    void whatWasRegisteredWithTheExporterBeforeStaysThere() {
        Gauge gauge = Gauge.builder("gauge", () -> 1).register(exporter);
        FunctionCounter counter =
                FunctionCounter.builder("function", this, _ -> 2).register(exporter);
        LongTaskTimer tasks = LongTaskTimer.builder("tasks").register(exporter);
        Timer timer = Timer.builder("timer").publishPercentiles(0.5).register(exporter);
        List<Meter> theirs = List.of(gauge, counter, tasks, timer);
        List<String> before = scraped();

        MeterRegistry other = new PerCpuMeterRegistry(exporter);
        for (MeterRegistry front : List.of(registry, other)) {
            Gauge.builder("gauge", () -> 10).register(front);
            FunctionCounter.builder("function", this, _ -> 20).register(front);
            LongTaskTimer.builder("tasks").register(front);
            Timer.builder("timer").publishPercentiles(0.5).register(front);
        }
        assertThat(scraped()).isEqualTo(before);
        registry.clear();
        other.clear();

        assertThat(exporter.getMeters()).containsExactlyInAnyOrderElementsOf(theirs);
        assertThat(scraped()).isEqualTo(before);
    }

    /** Also if it came while a registry in front released a meter. */
    @Test
    void whatAListenerRegistersWithTheExporterDuringARemovalStaysThere() {
        exporter.config()
                .onMeterRemoved(
                        _ -> FunctionCounter.builder("removals", this, _ -> 7).register(exporter));
        registry.remove(registry.counter("counter"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> registry.counter("removals"))
                .withMessageContaining("directly");
        assertThat(scraped()).containsExactly("removals_total 7.0");
    }

    @Test
    void whatTheExporterClearedIsRegisteredAgainOnceItIsRemovedInFrontToo() {
        registry.counter("counter").increment(5);
        exporter.clear();
        registry.counter("counter").increment();
        assertThat(scraped()).isEmpty();

        registry.clear();
        registry.counter("counter").increment(2);
        assertThat(scraped()).containsExactly("counter_total 2.0");
    }

    @Test
    void removingAMeterThatTheExporterClearedLeavesItsSuccessorThere() {
        Counter cleared = registry.counter("counter");
        exporter.clear();
        MeterRegistry other = new PerCpuMeterRegistry(exporter);
        other.counter("counter").increment(2);

        registry.remove(cleared);
        assertThat(scraped()).containsExactly("counter_total 2.0");
        other.clear();
        assertThat(scraped()).isEmpty();
    }

    /** As in a composite, whose meters are the exporter's own and stay there. */
    @Test
    void whatARegistryCountedThatNobodyRefersToAnyMoreStaysInTheSum() {
        WeakReference<MeterRegistry> front = countInFront();
        while (!front.refersTo(null)) {
            System.gc();
        }
        registry.counter("counter").increment(2);
        assertThat(scraped()).containsExactly("counter_total 7.0");
    }

    private WeakReference<MeterRegistry> countInFront() {
        MeterRegistry front = new PerCpuMeterRegistry(exporter);
        front.counter("counter").increment(5);
        return new WeakReference<>(front);
    }
}

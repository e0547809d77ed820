package dev.percpu.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.percpu.testing.FilledHeap;
import dev.percpu.testing.Jvm;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.cumulative.CumulativeFunctionCounter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Registrations and removals that a listener of the exporter breaks off, or a lack of memory. */
@Tag("once")
class BrokenOffTest {
    private final SimpleMeterRegistry exporter = new SimpleMeterRegistry();

    /** Each counterpart is released, also those behind the one whose removal a listener has broken off. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void noCounterpartIsLeftThoughAListenerOfTheExporterThrows(boolean listensFirst) {
        List<Throwable> thrown = new ArrayList<>();
        if (listensFirst) {
            throwWhenAMeterIsRemoved(exporter, thrown);
        }
        MeterRegistry registry = new PerCpuMeterRegistry(exporter);
        if (!listensFirst) {
            throwWhenAMeterIsRemoved(exporter, thrown);
        }
        Meter summary = registry.summary("summary");

        Throwable failure = catchThrowable(() -> registry.remove(summary));

        assertThat(thrown).hasSize(3);
        assertThat(failure).isSameAs(thrown.getFirst());
        assertThat(failure.getSuppressed()).containsExactlyElementsOf(thrown.subList(1, 3));
        assertThat(exporter.getMeters()).isEmpty();
        assertThat(Exports.of(exporter).size()).isZero();
        registry.summary("summary").record(3);
        assertThat(exporter.get("summary.total").functionCounter().count()).isEqualTo(3);
    }

    /**
     * A listener that comes before this library's breaks off the removal of a counterpart by the user, so the library
     * does not hear of it. The exporter has another meter under that id then, which is not the first one's to remove.
     */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aCounterpartWhoseRemovalWasNotHeardOfDoesNotTakeTheNextOneWithIt(boolean nextIsOfThisLibrary) {
        throwWhenAMeterIsRemoved(exporter, new ArrayList<>());
        MeterRegistry registry = new PerCpuMeterRegistry(exporter);
        Counter first = registry.counter("first");
        assertThatThrownBy(() -> exporter.remove(exporter.get("first").meter())).hasMessage("removed first");
        if (nextIsOfThisLibrary) {
            new PerCpuMeterRegistry(exporter).counter("first").increment();
        } else {
            exporter.more().counter("first", List.of(), 1);
        }

        registry.remove(first);

        assertThat(exporter.get("first").functionCounter().count()).isOne();
        assertThat(Exports.of(exporter).size()).isEqualTo(nextIsOfThisLibrary ? 1 : 0);
    }

    /** The failure that broke the registration off matters more than one of releasing what there was so far. */
    @Test
    void aListenerThatThrowsWhenARegistrationIsUndoneDoesNotHideWhy() {
        PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        MeterRegistry registry = new PerCpuMeterRegistry(prometheus);
        List<Throwable> thrown = new ArrayList<>();
        throwWhenAMeterIsRemoved(prometheus, thrown);
        // Of the timer without percentiles, the second counterpart is the one that is refused.
        prometheus.gauge("latency.max.seconds", 3);
        prometheus.gauge("slow.seconds", 3);
        IllegalStateException notWanted = new IllegalStateException("not wanted");
        registry.config().onMeterRegistrationFailed((_, _) -> {
            throw notWanted;
        });
        for (Function<MeterRegistry, Meter> kind : List.<Function<MeterRegistry, Meter>>of(
                each -> each.timer("latency"),
                each -> Timer.builder("slow").publishPercentiles(0.5).register(each))) {
            assertThatThrownBy(() -> kind.apply(registry)).isSameAs(notWanted);
        }
        assertThat(thrown).hasSize(3);
        assertThat(notWanted.getSuppressed()).containsExactlyElementsOf(thrown);
        assertThat(prometheus.getMeters()).hasSize(2).allMatch(Gauge.class::isInstance);
    }

    /** A listener can be given the same exception each time, which cannot suppress itself. */
    @Test
    void theSameExceptionForEachCounterpartIsThrownOnce() {
        MeterRegistry registry = new PerCpuMeterRegistry(exporter);
        IOException failure = new IOException("for the test");
        exporter.config().onMeterRemoved(_ -> {
            // A function in a language without checked exceptions throws them all the same.
            throw BrokenOffTest.<RuntimeException>unchecked(failure);
        });
        Meter timer = registry.timer("timer");
        assertThatThrownBy(() -> registry.remove(timer)).isSameAs(failure);
        assertThat(failure.getSuppressed()).isEmpty();
        assertThat(exporter.getMeters()).isEmpty();
    }

    private static void throwWhenAMeterIsRemoved(MeterRegistry from, List<Throwable> thrown) {
        from.config().onMeterRemoved(meter -> {
            IllegalStateException failure =
                    new IllegalStateException("removed " + meter.getId().getName());
            thrown.add(failure);
            throw failure;
        });
    }

    @SuppressWarnings("unchecked")
    private static <E extends Exception> RuntimeException unchecked(Exception failure) throws E {
        throw (E) failure;
    }

    /** An exporter with whose first meter something fails as soon as it has it. */
    private static final class FailingWithTheFirst extends SimpleMeterRegistry {
        private int added;
        private boolean fails;

        void failOnceItIsAdded() {
            config().onMeterAdded(_ -> fails = added++ == 0);
        }

        @Override
        protected <T> FunctionCounter newFunctionCounter(Meter.Id id, T obj, ToDoubleFunction<T> countFunction) {
            return new CumulativeFunctionCounter<>(id, obj, countFunction) {
                @Override
                public Meter.Id getId() {
                    if (fails) {
                        fails = false;
                        throw new OutOfMemoryError("for the test");
                    }
                    return super.getId();
                }

                // Not that of the id: the registry has a map of meters, and is not to fail.
                @Override
                public int hashCode() {
                    return System.identityHashCode(this);
                }

                @Override
                public boolean equals(@Nullable Object other) {
                    return this == other;
                }
            };
        }
    }

    /** What is left would be taken for somebody else's, and its name would be taken for ever. */
    @Test
    void aMeterThatTheExporterAddedIsNotLeftThereIfMemoryRunsOutThen() {
        FailingWithTheFirst failing = new FailingWithTheFirst();
        MeterRegistry registry = new PerCpuMeterRegistry(failing);
        failing.failOnceItIsAdded();
        assertThatThrownBy(() -> registry.counter("counter")).isInstanceOf(OutOfMemoryError.class);
        assertThat(failing.getMeters()).isEmpty();
        Counter counter = registry.counter("counter");
        counter.increment();
        assertThat(failing.get("counter").functionCounter().count()).isOne();
        registry.remove(counter);
        assertThat(failing.getMeters()).isEmpty();
    }

    /** The exporter's meter goes with the last of those that were added. */
    @Test
    void aMeterForWhichThereIsNoMemoryAmongThoseThatAreMergedKeepsNothingWithTheExporter() {
        Jvm.Result result = Jvm.asHere()
                // Without buffers for threads there is one end of the heap, so it can be filled exactly.
                .option("-XX:-UseTLAB")
                .option("-Xmx16m")
                .withPathsOfHere()
                .run(FullHeap.class);
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.number("failed")).isPositive();
        assertThat(result.number("left")).isZero();
    }

    /** Merges meters until the map of them has to grow, which it cannot while the heap is full. */
    static final class FullHeap {
        private static final FilledHeap HEAP = new FilledHeap();

        private FullHeap() {}

        public static void main(String[] arguments) {
            // Each handler's first use takes memory.
            SimpleMeterRegistry throwing = new SimpleMeterRegistry();
            throwing.config().onMeterRemoved(_ -> {
                throw new OutOfMemoryError("not really");
            });
            MeterRegistry registry = new PerCpuMeterRegistry(throwing);
            registry.counter("counter");
            runsOut(registry::clear);

            SimpleMeterRegistry exporter = new SimpleMeterRegistry();
            Exports exports = Exports.of(exporter);
            Meter first = registry.counter("first");
            Exports.Export export = exports.merge(Merged.Kind.COUNTER, first, each -> shown(exporter, each), () -> 1);
            List<Meter> merged = new ArrayList<>(List.of(first));
            long failed = 0;
            for (int i = 0; i < 10; i++) {
                Meter meter = registry.counter("counter", "i", Integer.toString(i));
                Function<Merged, Meter> registration = each -> {
                    Meter shown = shown(exporter, each);
                    HEAP.fill(0, FilledHeap.STILL);
                    return shown;
                };
                if (runsOut(() -> exports.merge(Merged.Kind.COUNTER, meter, registration, () -> 1))) {
                    failed++;
                } else {
                    merged.add(meter);
                }
            }
            merged.forEach(meter -> exports.release(export, meter));
            System.out.println("failed=" + failed);
            System.out.println("left=" + exporter.getMeters().size());
        }

        private static Meter shown(SimpleMeterRegistry exporter, Merged merged) {
            return FunctionCounter.builder("shown", merged, Merged::first).register(exporter);
        }

        private static boolean runsOut(Runnable step) {
            try {
                step.run();
                return false;
            } catch (OutOfMemoryError full) {
                return true;
            } finally {
                HEAP.empty();
            }
        }
    }
}

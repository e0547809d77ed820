package dev.percpu.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Registrations and removals that a listener of the exporter breaks off. */
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
}

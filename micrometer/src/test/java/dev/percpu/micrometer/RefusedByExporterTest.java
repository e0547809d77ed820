package dev.percpu.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Meters that the exporter has and does not export, as something else has their name in what it exports. */
class RefusedByExporterTest {
    private final PrometheusMeterRegistry exporter = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final MeterRegistry registry = new PerCpuMeterRegistry(exporter);

    private List<String> scraped() {
        return exporter.scrape().lines().filter(line -> !line.startsWith("#")).toList();
    }

    private static List<String> failuresOf(MeterRegistry registry) {
        List<String> failures = new ArrayList<>();
        registry.config().onMeterRegistrationFailed((id, reason) -> failures.add(id + ": " + reason));
        return failures;
    }

    @Test
    void theListenersAreToldWhatTheExportersOwnAreToldWithoutThisRegistry() {
        MeterRegistry alone = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        List<List<String>> failures = new ArrayList<>();
        for (MeterRegistry each : List.of(alone, registry)) {
            failures.add(failuresOf(each));
            each.counter("calls", "k", "1");
            each.counter("calls.total", "k", "1");
            each.gauge("calls.total", Tags.of("k", "2"), 4);
            each.gauge("latency.seconds", 3);
            each.timer("latency");
            each.counter("a.b");
            each.counter("a_b");
            each.gauge("slow.seconds", 3);
            Timer.builder("slow").publishPercentiles(0.5).register(each);
        }
        assertThat(failures.getFirst()).hasSize(5);
        assertThat(failures.getLast()).isEqualTo(failures.getFirst());
    }

    /** With other tags, only the exporter knows that a timer's maximum and another timer have one name there. */
    @Test
    void theListenersAreToldOfANameThatAMaximumHas() {
        List<String> failures = failuresOf(registry);
        registry.timer("a", "k", "1").record(Duration.ofSeconds(1));
        registry.timer("a.max", "k", "2").record(Duration.ofSeconds(5));
        assertThat(failures).singleElement().asString().startsWith("MeterId{name='a.max', tags=[tag(k=2)]}: ");
        assertThat(scraped()).contains("a_seconds_sum{k=\"1\"} 1.0", "a_max_seconds{k=\"1\"} 1.0");
    }

    @Test
    void aTimerIsExportedThoughItsMaximumIsNot() {
        List<String> failures = failuresOf(registry);
        registry.timer("a.max", "k", "2").record(Duration.ofSeconds(5));
        registry.timer("a", "k", "1").record(Duration.ofSeconds(1));
        assertThat(failures).singleElement().asString().startsWith("MeterId{name='a', tags=[tag(k=1)]}: ");
        assertThat(scraped()).contains("a_seconds_sum{k=\"1\"} 1.0", "a_max_seconds_sum{k=\"2\"} 5.0");
    }

    /** Several meters can be one for the exporter. */
    @Test
    void eachRegistryInFrontIsTold() {
        MeterRegistry other = new PerCpuMeterRegistry(exporter);
        List<String> failures = failuresOf(registry);
        List<String> failuresOfOther = failuresOf(other);
        exporter.gauge("latency.seconds", 3);
        registry.timer("latency");
        other.timer("latency");
        assertThat(failures).hasSize(1);
        assertThat(failuresOfOther).isEqualTo(failures);
    }

    @Test
    void ofAMeterThatAListenerDoesNotWantNothingIsLeft() {
        // A function in a language without checked exceptions throws them all the same.
        AtomicReference<Exception> failure = new AtomicReference<>();
        List<String> reasons = new ArrayList<>();
        registry.config().onMeterRegistrationFailed((id, reason) -> {
            reasons.add(reason);
            throw RefusedByExporterTest.<RuntimeException>unchecked(failure.get());
        });
        exporter.gauge("latency.seconds", 3);
        for (Exception each : List.of(new IllegalStateException("not wanted"), new IOException("not wanted"))) {
            failure.set(each);
            assertThatThrownBy(() -> registry.timer("latency")).isSameAs(each);
            assertThatThrownBy(() ->
                            Timer.builder("latency").publishPercentiles(0.5).register(registry))
                    .isSameAs(each);
            assertThat(registry.getMeters()).isEmpty();
            assertThat(exporter.getMeters())
                    .extracting(Meter::getId)
                    .extracting(Meter.Id::getName)
                    .containsExactly("latency.seconds");
        }
        assertThat(reasons).hasSize(4).allMatch(reason -> reason.contains("latency_seconds"));
    }

    @SuppressWarnings("unchecked")
    private static <E extends Exception> RuntimeException unchecked(Exception failure) throws E {
        throw (E) failure;
    }
}

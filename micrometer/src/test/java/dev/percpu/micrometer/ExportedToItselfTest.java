package dev.percpu.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A registry whose exporter passes each meter on to that registry. If it does not refuse the meter, its thread spins
 * for ever for a lock of the composite's that it has itself, and the test fails by its timeout.
 */
@Tag("once")
class ExportedToItselfTest {
    private final CompositeMeterRegistry composite = new CompositeMeterRegistry();
    private final SimpleMeterRegistry simple = new SimpleMeterRegistry();
    private final MeterRegistry registry = new PerCpuMeterRegistry(composite);

    private static void refuses(MeterRegistry registry, Consumer<MeterRegistry> registration) {
        assertThatIllegalStateException()
                .isThrownBy(() -> registration.accept(registry))
                .withMessageContaining("in front of the registry that exports");
    }

    @Test
    void eachKindOfMeterIsRefusedUntilTheCompositeDoesNotHaveTheRegistryAnyMore() {
        composite.add(simple).add(registry);
        for (Consumer<MeterRegistry> registration : List.<Consumer<MeterRegistry>>of(
                each -> each.counter("counter"),
                each -> each.timer("timer"),
                each -> each.summary("summary"),
                each -> each.more().longTaskTimer("tasks"),
                each -> Timer.builder("slow").publishPercentiles(0.5).register(each),
                each -> DistributionSummary.builder("wide")
                        .publishPercentiles(0.5)
                        .register(each),
                each -> Gauge.builder("gauge", () -> 1).register(each))) {
            refuses(registry, registration);
        }
        assertThat(List.of(registry, composite, simple))
                .allMatch(each -> each.getMeters().isEmpty());

        composite.remove(registry);
        registry.counter("counter").increment();
        assertThat(simple.get("counter").functionCounter().count()).isOne();
    }

    @Test
    void aMeterOfTheCompositeItselfIsRefusedToo() {
        composite.add(registry);
        refuses(composite, each -> each.counter("counter"));
        refuses(composite, each -> each.timer("timer"));
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void aRegistryInACompositeOfTheCompositeIsFound() {
        composite.add(new CompositeMeterRegistry().add(simple).add(registry));
        refuses(registry, each -> each.counter("counter"));
    }

    @Test
    void aRegistryInFrontOfAnotherInFrontIsFound() {
        MeterRegistry outer = new PerCpuMeterRegistry(registry);
        composite.add(outer);
        refuses(outer, each -> each.counter("counter"));
        refuses(registry, each -> each.counter("counter"));
    }

    @Test
    void bothCanBeClosed() {
        composite.add(registry).add(simple);
        composite.close();
        assertThat(List.of(registry, composite, simple)).allMatch(MeterRegistry::isClosed);
    }

    /** It is not in the cycle itself, and the way through that never ends. */
    @Test
    void aRegistryInFrontOfACycleIsRefusedToo() {
        composite.add(registry);
        refuses(new PerCpuMeterRegistry(composite), each -> each.counter("counter"));
    }

    @Test
    void aRegistryThatIsReachedTwiceIsNoCycle() {
        composite.add(new CompositeMeterRegistry().add(simple)).add(new CompositeMeterRegistry().add(simple));
        Counter counter = registry.counter("counter");
        counter.increment();
        assertThat(simple.get("counter").functionCounter().count()).isOne();
    }

    /** Whoever reads a composite's set of registries can get an exception while it changes. */
    @Test
    void aCompositeCanGetRegistriesMeanwhile() throws InterruptedException {
        CompositeMeterRegistry inner = new CompositeMeterRegistry();
        composite.add(inner);
        for (int i = 0; i < 10; i++) {
            inner.add(new SimpleMeterRegistry());
        }
        AtomicBoolean done = new AtomicBoolean();
        Thread other = Thread.ofPlatform().start(() -> {
            while (!done.get()) {
                inner.add(simple).remove(simple);
            }
        });
        try {
            for (int i = 0; i < 10_000; i++) {
                registry.remove(registry.counter("counter"));
            }
        } finally {
            done.set(true);
            other.join();
        }
    }
}

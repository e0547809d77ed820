package dev.percpu.internal.listing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.DynamicPerCpu;
import dev.percpu.Listed;
import dev.percpu.PerCpuDouble;
import dev.percpu.PerCpuNumeric;
import dev.percpu.PerCpuRuntime;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.listing.Variable;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Garbage;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is listed, and for how long. */
class RegistryTest {
    private static final String NAME = "in the registry";

    @Test
    void whatIsClosedIsNotListedAndNotReadAnyMore() throws Exception {
        List<AutoCloseable> named = List.of(
                PerCpuNumeric.create(NAME, NumericWidth.LONG),
                PerCpuDouble.create(NAME),
                DynamicPerCpu.createWith(NAME, Object::new),
                PerCpuPool.builder(1, Object::new).name(NAME).build());
        List<Variable> listed = PerCpuRuntime.variables().stream()
                .filter(variable -> variable.name().equals(NAME))
                .toList();
        assertThat(listed).hasSameSizeAs(named);
        for (AutoCloseable each : named) {
            each.close();
            each.close();
        }
        assertThat(PerCpuRuntime.variables()).extracting("name").doesNotContain(NAME);
        assertThat(listed).allSatisfy(variable -> assertThat(variable.values()).isEmpty());
    }

    /** Even if nobody ever asks for the listing. */
    @Test
    void whatIsGoneDoesNotPileUp() {
        int alive = PerCpuRuntime.variables().size();
        for (int i = 0; i < 1_000; i++) {
            PerCpuNumeric.create(NAME, NumericWidth.LONG).close();
            assertThat(Registry.kept()).isLessThanOrEqualTo(Math.max(2 * alive, alive + 16));
        }
    }

    @Test
    void aStaticVariableIsListedEvenIfItsUserHasDroppedIt() throws InterruptedException {
        WeakReference<Object> dropped = defineAndDrop();
        Garbage.collectUntil(() -> dropped.refersTo(null));
        assertThat(Listed.variable("static and dropped").values())
                .extracting("total")
                .containsExactly(1L);
    }

    /** Else the object would be kept by whoever keeps the listing, or could not be read. */
    @Test
    void whatIsGoneSinceItWasListedHasNoValues() throws InterruptedException {
        Variable listed = listAndDrop();
        WeakReference<Object> later = new WeakReference<>(new Object());
        Garbage.collectUntil(() -> later.refersTo(null));
        assertThat(listed.values()).isEmpty();
    }

    private static Variable listAndDrop() {
        PerCpuCounter counter = new PerCpuCounter("listed and dropped");
        try {
            return Listed.variable("listed and dropped");
        } finally {
            Reference.reachabilityFence(counter);
        }
    }

    private static WeakReference<Object> defineAndDrop() {
        PerCpuNumeric.define("static and dropped", NumericWidth.LONG).increment();
        return new WeakReference<>(new Object());
    }
}

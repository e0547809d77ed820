package dev.percpu.internal.listing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.DynamicPerCpu;
import dev.percpu.Listed;
import dev.percpu.PerCpuDouble;
import dev.percpu.PerCpuNumeric;
import dev.percpu.PerCpuRuntime;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PoolBuilder;
import dev.percpu.listing.Variable;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Garbage;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What closing does to the listing. */
class RegistryTest {
    private static final String NAME = "in the registry";

    /** What is gone stays until somebody walks along the chain. */
    @Test
    void closingDoesNotWalkAlongAllThatIsListed() throws Exception {
        List<AutoCloseable> unnamed = List.of(
                PerCpuNumeric.create(NumericWidth.LONG),
                PerCpuDouble.create(),
                DynamicPerCpu.createWith(Object::new),
                pool().build());
        List<AutoCloseable> named = List.of(
                PerCpuNumeric.create(NAME, NumericWidth.LONG),
                PerCpuDouble.create(NAME),
                DynamicPerCpu.createWith(NAME, Object::new),
                pool().name(NAME).build());
        // Listing walks along it, so the next addition does not.
        assertThat(PerCpuRuntime.variables()).extracting("name").contains(NAME);
        WeakReference<PerCpuCounter> gone = gone();
        Garbage.collectUntil(() -> gone.refersTo(null));
        int linked = Registry.linked();
        for (AutoCloseable each : unnamed) {
            each.close();
            assertThat(Registry.linked()).isEqualTo(linked);
        }
        for (AutoCloseable each : named) {
            each.close();
            linked--;
            assertThat(Registry.linked()).isEqualTo(linked);
            each.close();
            assertThat(Registry.linked()).isEqualTo(linked);
        }
        assertThat(PerCpuRuntime.variables()).extracting("name").doesNotContain(NAME);
        assertThat(Registry.linked()).isLessThan(linked);
    }

    @Test
    void aStaticVariableIsListedEvenIfItsUserHasDroppedIt() throws InterruptedException {
        WeakReference<Object> dropped = defineAndDrop();
        Garbage.collectUntil(() -> dropped.refersTo(null));
        assertThat(Listed.variable("dropped").values()).extracting("total").containsExactly(1L);
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
        PerCpuNumeric.define("dropped", NumericWidth.LONG).increment();
        return new WeakReference<>(new Object());
    }

    private static WeakReference<PerCpuCounter> gone() {
        return new WeakReference<>(new PerCpuCounter("gone from the registry"));
    }

    private static PoolBuilder<Object> pool() {
        return PerCpuPool.builder(1, Object::new);
    }
}

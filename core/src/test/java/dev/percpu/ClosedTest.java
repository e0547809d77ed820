package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Garbage;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is left of something that is closed and still referred to. */
class ClosedTest {
    @Test
    void aClosedVariableDoesNotKeepItsInstances() throws InterruptedException {
        List<WeakReference<Object>> made = new ArrayList<>();
        DynamicPerCpu<Object> variable = DynamicPerCpu.createWith(() -> {
            Object instance = new Object();
            made.add(new WeakReference<>(instance));
            return instance;
        });
        PerCpuPtr<Object> ptr = variable.ptr();
        variable.close();
        Garbage.collectUntil(() -> made.stream().allMatch(instance -> instance.refersTo(null)));
        // What a thread finds that asked for the instance before the end.
        assertThatThrownBy(() -> ptr.instanceEvenIfClosed(0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is closed");
        assertThat(variable).asString().contains("closed");
    }

    /** Also to who looks at it in a debugger, or writes it to a log. */
    @Test
    void whatIsClosedSaysSo() throws Exception {
        DynamicPerCpu<NumericCell> cells = DynamicPerCpu.createNumeric(NumericWidth.LONG, 1);
        PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new).build();
        List<AutoCloseable> closed = List.of(
                pool,
                cells,
                DynamicPerCpu.createWith(Object::new),
                PerCpuNumeric.create(NumericWidth.INT),
                PerCpuDouble.create());
        List<Object> things = new ArrayList<>(closed);
        try (CpuGuard guard = CpuGuard.acquire()) {
            things.add(guard);
        }
        things.add(PerCpuNumeric.of(cells));
        things.add(cells.ptr().getPtr());
        things.add(pool.tryAcquire());
        for (AutoCloseable each : closed) {
            each.close();
        }
        assertThat(things).allSatisfy(thing -> assertThat(thing.toString()).contains("closed"));
    }
}

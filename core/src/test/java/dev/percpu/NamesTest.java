package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuBoundedCounter;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import dev.percpu.concurrent.PerCpuRef;
import dev.percpu.memory.NumericWidth;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.List;
import java.util.function.Function;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Everything can have a name, and what has one is listed for as long as there is something to list. */
class NamesTest {
    private static List<String> listed(String prefix) {
        return PerCpuRuntime.variables().stream()
                .filter(variable -> variable.name().startsWith(prefix))
                .map(variable -> variable.name() + ": " + variable.type())
                .toList();
    }

    @Test
    void whatHasANameIsListed() {
        List<Object> kept = List.of(
                PerCpuNumeric.create("named number", NumericWidth.INT, 0),
                PerCpuDouble.create("named double", 0),
                DynamicPerCpu.createZero("named memory", ValueLayout.JAVA_LONG, Function.identity()),
                DynamicPerCpu.createWith("named object", Object::new),
                DynamicPerCpu.createNumeric("named cell", NumericWidth.LONG, 0),
                new PerCpuCounter("named counter"),
                new PerCpuDoubleCounter("named double counter"),
                new PerCpuAccumulator("named accumulator", Long::max, 0),
                new PerCpuDoubleAccumulator("named double accumulator", Double::max, 0),
                new PerCpuBoundedCounter("named quota", 32),
                PerCpuHistogram.builder().name("named latency").build(),
                PerCpuPool.builder(2, Object::new).name("named pool").build(),
                new PerCpuReadWriteLock("named lock"),
                new PerCpuRef("named ref", () -> {}));
        try {
            assertThat(listed("named "))
                    .containsExactly(
                            "named number: INT",
                            "named double: DOUBLE",
                            "named memory: " + ValueLayout.JAVA_LONG,
                            "named object: object",
                            "named cell: guarded LONG",
                            "named counter: PerCpuCounter",
                            "named double counter: PerCpuDoubleCounter",
                            "named accumulator: PerCpuAccumulator",
                            "named double accumulator: PerCpuDoubleAccumulator",
                            "named quota: PerCpuBoundedCounter",
                            "named latency: PerCpuHistogram",
                            "named pool: PerCpuPool",
                            "named lock: PerCpuReadWriteLock",
                            "named ref: PerCpuRef");
        } finally {
            Reference.reachabilityFence(kept);
        }
    }

    @Test
    void whatIsClosedIsNotListed() {
        DynamicNumeric number = PerCpuNumeric.create("closed number", NumericWidth.INT, 0);
        DynamicDouble real = PerCpuDouble.create("closed double", 0);
        DynamicPerCpu<Object> variable = DynamicPerCpu.createWith("closed variable", Object::new);
        PerCpuHistogram histogram =
                PerCpuHistogram.builder().name("closed histogram").build();
        PerCpuPool<Object> pool =
                PerCpuPool.builder(1, Object::new).name("closed pool").build();
        DynamicPerCpu<Object> shared = variable.share();
        number.close();
        real.close();
        variable.close();
        histogram.close();
        pool.close();
        assertThat(listed("closed ")).as("one handle is open").containsExactly("closed variable: object");
        shared.close();
        assertThat(listed("closed ")).isEmpty();
    }

    @Test
    void whatNobodyCanReachIsNotListed() throws InterruptedException {
        PerCpuCounter kept = new PerCpuCounter("kept");
        try {
            new PerCpuCounter("dropped").increment();
            while (!listed("dropped").isEmpty()) {
                System.gc();
                Thread.sleep(1);
            }
            assertThat(listed("kept")).hasSize(1);
        } finally {
            Reference.reachabilityFence(kept);
        }
    }

    @Test
    void aNameMustSaySomething() {
        for (@Nullable String name : new String[] {null, "", " "}) {
            for (ThrowingCallable making : List.<ThrowingCallable>of(
                    () -> new PerCpuCounter(name),
                    () -> PerCpuNumeric.define(name, NumericWidth.LONG),
                    () -> PerCpuHistogram.builder().name(name),
                    () -> StaticPerCpu.define(name, Object::new))) {
                assertThatThrownBy(making)
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("a name is for messages and listings");
            }
        }
    }

    @Test
    void messagesSayWhichOne() {
        PerCpuPool<Object> pool =
                PerCpuPool.builder(1, Object::new).name("sessions").build();
        pool.close();
        assertThatThrownBy(pool::acquire).hasMessageContaining("sessions");
        PerCpuHistogram histogram = PerCpuHistogram.builder().name("latency").build();
        histogram.close();
        assertThatThrownBy(() -> histogram.record(1)).hasMessageContaining("latency");
    }

    @Test
    void locksAreEqualToThemselvesOnly() {
        PerCpuReadWriteLock one = new PerCpuReadWriteLock();
        PerCpuReadWriteLock other = new PerCpuReadWriteLock();
        assertThat(one.readLock()).isEqualTo(one.readLock()).isNotEqualTo(other.readLock());
        assertThat(one.readLock().hashCode()).isEqualTo(System.identityHashCode(one.readLock()));
    }
}

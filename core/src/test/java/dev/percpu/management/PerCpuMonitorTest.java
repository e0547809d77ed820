package dev.percpu.management;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.CpuGuard;
import dev.percpu.DynamicNumeric;
import dev.percpu.PerCpuNumeric;
import dev.percpu.PerCpuRuntime;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.listing.Registry;
import dev.percpu.listing.Value;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Workers;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.ref.Reference;
import java.util.List;
import java.util.function.LongBinaryOperator;
import javax.management.JMX;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Through an MBean server, by open types alone, as a tool in another process reads it. */
class PerCpuMonitorTest {
    private static final MBeanServer SERVER = ManagementFactory.getPlatformMBeanServer();

    private ObjectName name;
    private PerCpuMXBean monitor;

    @BeforeEach
    void create() throws Exception {
        name = new ObjectName(PerCpuMonitor.NAME);
        assertThat(SERVER.isRegistered(name)).as("registered without a request").isFalse();
        // As "top" does from outside.
        SERVER.createMBean(PerCpuMonitor.class.getName(), name);
        monitor = JMX.newMXBeanProxy(SERVER, name, PerCpuMXBean.class);
    }

    @AfterEach
    void remove() throws Exception {
        SERVER.unregisterMBean(name);
    }

    private PerCpuMXBean.Variable variable(String wanted) {
        return monitor.getVariables().stream()
                .filter(each -> each.name().equals(wanted))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void itShowsTheBackEndAndTheArea() {
        assertThat(monitor.getBackend()).isEqualTo(PerCpuRuntime.backend());
        assertThat(monitor.getBackendReason()).isEqualTo(PerCpuRuntime.backendReason());
        assertThat(monitor.getArea().stride()).isEqualTo(PerCpuRuntime.area().stride());
        assertThat(monitor.getArea().usedBytesPerCpu())
                .isPositive()
                .isLessThan(monitor.getArea().stride());
        assertThat(monitor.getOwnPlaces().most())
                .isEqualTo(PerCpuRuntime.ownPlaces().most());
        assertThat(monitor.getOwnPlaces().taken())
                .isBetween(0, monitor.getOwnPlaces().most());
    }

    @Test
    void itShowsVariablesWithTheirValues() {
        PerCpuCounter counter = new PerCpuCounter("managed counter");
        PerCpuDoubleCounter real = new PerCpuDoubleCounter("managed double");
        // By a thread that is not hot, so that it counts on its CPU.
        Workers.join(Thread.ofPlatform().start(() -> counter.add(Long.MAX_VALUE)));
        real.add(Double.NEGATIVE_INFINITY);
        PerCpuMXBean.Integers integers = variable("managed counter").integers().getFirst();
        assertThat(integers.total()).isEqualTo(Long.MAX_VALUE);
        assertThat(integers.perCpu()).hasSize(CpuMask.capacity()).contains(Long.MAX_VALUE);
        assertThat(integers.cumulative()).isTrue();
        assertThat(variable("managed double").reals().getFirst().total()).isEqualTo(Double.NEGATIVE_INFINITY);
        assertThat(variable("managed double").type()).isEqualTo("PerCpuDoubleCounter");
        assertThat(counter.sum() + real.sum()).isEqualTo(Double.NEGATIVE_INFINITY);
    }

    @Test
    void itShowsEachPartOfAValue() {
        Object shown = new Object();
        Registry.add(
                "managed parts",
                "a fixture",
                shown,
                _ -> List.of(
                        new Value("integers", false, 6L, List.of(1L, 2L), 3L),
                        new Value("reals", true, 1.75, List.of(0.25, 0.5), 1.0),
                        new Value("real level", false, -1.0, List.of(), 0.0)));
        try {
            PerCpuMXBean.Variable read = variable("managed parts");
            assertThat(read.integers())
                    .containsExactly(new PerCpuMXBean.Integers("integers", false, 6, List.of(1L, 2L), 3));
            assertThat(read.reals())
                    .containsExactly(
                            new PerCpuMXBean.Reals("reals", true, 1.75, List.of(0.25, 0.5), 1),
                            new PerCpuMXBean.Reals("real level", false, -1, List.of(), 0));
        } finally {
            Reference.reachabilityFence(shown);
        }
    }

    /** Else a tool would take the difference of two variables' values for a rate. */
    @Test
    void aVariableThatReplacesAnotherOfTheSameNameHasAnotherSerialNumber() {
        long first;
        try (DynamicNumeric _ = PerCpuNumeric.create("managed again", NumericWidth.LONG)) {
            first = variable("managed again").serial();
            assertThat(variable("managed again").serial()).isEqualTo(first);
        }
        try (DynamicNumeric _ = PerCpuNumeric.create("managed again", NumericWidth.LONG)) {
            assertThat(variable("managed again").serial()).isGreaterThan(first);
        }
        assertThat(monitor.getVariables())
                .extracting(PerCpuMXBean.Variable::serial)
                .doesNotHaveDuplicates();
    }

    @Test
    void aFunctionThatThrowsSpoilsItsOwnVariableOnly() {
        assertSpoilsItsOwnVariableOnly(
                (_, _) -> {
                    throw new ArithmeticException();
                },
                ArithmeticException.class);
    }

    /** A function in a language without checked exceptions throws them all the same. */
    @Test
    void aCheckedExceptionSpoilsItsOwnVariableOnly() {
        assertSpoilsItsOwnVariableOnly(
                (_, _) -> PerCpuMonitorTest.<RuntimeException>fail(new IOException("for example")), IOException.class);
    }

    @Test
    void anErrorSpoilsItsOwnVariableOnly() {
        assertSpoilsItsOwnVariableOnly(
                (_, _) -> {
                    throw new StackOverflowError("for the test");
                },
                StackOverflowError.class);
    }

    private void assertSpoilsItsOwnVariableOnly(LongBinaryOperator function, Class<? extends Throwable> thrown) {
        String name = "managed thrower of " + thrown.getSimpleName();
        PerCpuAccumulator broken = new PerCpuAccumulator(name, function, 0);
        PerCpuCounter counter = new PerCpuCounter("managed after a " + name);
        try {
            assertThat(variable(name).failure()).isEqualTo(thrown.getName());
            assertThat(variable(name).integers()).isEmpty();
            assertThat(variable("managed after a " + name).failure()).isEmpty();
        } finally {
            Reference.reachabilityFence(broken);
            Reference.reachabilityFence(counter);
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Exception> long fail(Exception checked) throws E {
        throw (E) checked;
    }

    @Test
    void itShowsWhoHoldsAGuard() {
        CpuId.onEachCpu(cpu -> {
            try (CpuGuard _ = CpuGuard.acquire()) {
                assertThat(monitor.getOwners()).singleElement().satisfies(owner -> {
                    assertThat(owner.cpu()).isEqualTo(cpu.id());
                    assertThat(owner.description())
                            .contains("thread #" + Thread.currentThread().threadId());
                });
            }
        });
        assertThat(monitor.getOwners()).isEmpty();
    }
}

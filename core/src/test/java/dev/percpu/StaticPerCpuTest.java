package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cell.Opaque;
import dev.percpu.cpu.CpuMask;
import dev.percpu.memory.AreaFullException;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.VmTest;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Variables that live as long as the process, objects and memory. */
@VmTest({"machine", "many", "sparse"})
class StaticPerCpuTest {
    private static final StructLayout POINT =
            MemoryLayout.structLayout(ValueLayout.JAVA_INT.withName("x"), ValueLayout.JAVA_INT.withName("y"));

    /** A struct as a user would describe it: a view of memory. */
    private record Point(MemorySegment memory) {
        private static final VarHandle X = POINT.varHandle(PathElement.groupElement("x"));
        private static final VarHandle Y = POINT.varHandle(PathElement.groupElement("y"));

        private int x() {
            return (int) X.get(memory, 0L);
        }

        private int y() {
            return (int) Y.get(memory, 0L);
        }

        private void move(int dx, int dy) {
            X.set(memory, 0L, x() + dx);
            Y.set(memory, 0L, y() + dy);
        }
    }

    @Test
    void everyPossibleCpuHasAnInstanceOfItsOwn() {
        StaticPerCpu<int[]> variable = StaticPerCpu.define("objects", () -> new int[] {100});
        Set<Integer> identities = new HashSet<>();
        variable.forEachCpu((cpu, instance) -> {
            assertThat(instance).containsExactly(100);
            identities.add(System.identityHashCode(instance));
        });
        assertThat(identities).hasSize(CpuMask.possible().weight());
    }

    /** Both forms: objects of a supplier, and views of memory. */
    @Test
    void whatWasCreatedIsClosedIfAnotherCannotBe() {
        int cpus = CpuMask.possible().weight();
        AtomicInteger made = new AtomicInteger();
        AtomicInteger closed = new AtomicInteger();
        Supplier<AutoCloseable> allButTheLast = () -> {
            if (made.incrementAndGet() % cpus == 0) {
                throw new IllegalArgumentException("no more");
            }
            return closed::incrementAndGet;
        };
        assertThatThrownBy(() -> StaticPerCpu.define("broken objects", allButTheLast))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no more");
        assertThat(closed).hasValue(cpus - 1);
        assertThatThrownBy(() -> StaticPerCpu.define("broken views", POINT, _ -> allButTheLast.get()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no more");
        assertThat(closed).hasValue(2 * (cpus - 1));
        assertThat(PerCpuRuntime.variables())
                .noneMatch(variable -> variable.name().startsWith("broken "));
    }

    @Test
    void aStructIsZeroedMemoryOfTheArea() {
        StaticPerCpu<Point> points = StaticPerCpu.define("points", POINT, Point::new);
        points.run(point -> point.move(3, -4));
        int[] sum = new int[2];
        points.forEachCpu((cpu, point) -> {
            sum[0] += point.x();
            sum[1] += point.y();
        });
        assertThat(sum).containsExactly(3, -4);
        assertThat(points.ptr().position() % POINT.byteAlignment()).isZero();
        assertThat(points.ptr().toString()).contains("points").contains("position");
    }

    @Test
    void aStructCanBeginAsACopyOfAnInitialValue() {
        MemorySegment initial = MemorySegment.ofArray(new int[] {7, 8});
        StaticPerCpu<Point> points = StaticPerCpu.define("points", POINT, Point::new, initial);
        initial.fill((byte) 0);
        points.forEachCpu((cpu, point) -> {
            assertThat(point.x()).isEqualTo(7);
            assertThat(point.y()).isEqualTo(8);
        });
        assertThatThrownBy(() -> StaticPerCpu.define("points", POINT, Point::new, MemorySegment.ofArray(new int[3])))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("12")
                .hasMessageContaining("8");
    }

    @Test
    void plainMemoryAndOpaque() {
        StaticPerCpu<MemorySegment> plain = StaticPerCpu.define("plain", POINT);
        plain.forEachCpu((cpu, memory) -> assertThat(memory.byteSize()).isEqualTo(8));
        CheckedPerCpu<Opaque> opaque = CheckedPerCpu.of(StaticPerCpu.define("opaque", POINT, Opaque::new));
        try (CpuGuard guard = CpuGuard.acquire()) {
            opaque.get(guard).run(cell -> cell.get().set(ValueLayout.JAVA_INT, 0, 1));
            assertThat(opaque.get(guard).<Integer>with(cell -> cell.get().get(ValueLayout.JAVA_INT, 0)))
                    .isEqualTo(1);
        }
    }

    @Test
    void aPointerToAPositionReachesTheSameMemory() {
        StaticPerCpu<MemorySegment> plain = StaticPerCpu.define("plain", POINT);
        PerCpuPtr<MemorySegment> raw = PerCpuPtr.ofPosition(plain.ptr().position(), POINT);
        try (CpuGuard guard = CpuGuard.acquire()) {
            plain.getMut(guard).run(memory -> memory.set(ValueLayout.JAVA_INT, 4, 42));
            assertThat(raw.getRef(guard).get(ValueLayout.JAVA_INT, 4)).isEqualTo(42);
        }
        assertThatThrownBy(() -> PerCpuPtr.ofPosition(-8, POINT)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> PerCpuPtr.ofPosition(1L << 50, POINT)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> PerCpuPtr.ofPosition(4097, POINT))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("aligned");
    }

    @Test
    void aLayoutThatIsLargerThanTheAreaIsRefused() {
        assertThatThrownBy(() ->
                        StaticPerCpu.define("giant", MemoryLayout.sequenceLayout(1L << 40, ValueLayout.JAVA_LONG)))
                .isInstanceOf(AreaFullException.class)
                .hasMessageContaining("giant")
                .hasMessageContaining("percpu.area.stride");
        PerCpuNumeric.create(NumericWidth.LONG).increment();
    }

    @Test
    void staticVariablesAreListed() {
        StaticPerCpu<int[]> object = StaticPerCpu.define("listed object", () -> new int[1]);
        PerCpuNumeric.define("listed number", NumericWidth.SHORT);
        PerCpuDouble.define("listed double", 0);
        assertThat(PerCpuRuntime.variables())
                .extracting(Object::toString)
                .contains("listed object: object", "listed number: SHORT", "listed double: DOUBLE");
        assertThat(object.toString()).contains("listed object");
    }

    @Test
    void theAreaSaysHowLargeItIsAndHowMuchIsUsed() {
        PerCpuRuntime.Area before = PerCpuRuntime.area();
        PerCpuNumeric.define("in the area", NumericWidth.LONG);
        PerCpuRuntime.Area after = PerCpuRuntime.area();
        assertThat(Long.bitCount(before.stride())).isEqualTo(1);
        // A place for each possible CPU, and at least the spare one.
        assertThat(before.reservedBytes()).isGreaterThan(before.stride() * CpuMask.capacity());
        assertThat(after.usedBytesPerCpu()).isBetween(Long.BYTES * 1L, after.stride());
        assertThat(after.stride()).isEqualTo(before.stride());
    }
}

package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Garbage;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Numbers of each width, with and without a guard: the operations, on a thread that stays on its CPU. */
@VmTest({"affinity", "machine", "many", "sparse", "strict"})
class PerCpuNumericTest {
    private static final CpuId CPU = CpuMask.allowed().iterator().next();

    static Stream<Arguments> numbers() {
        Map<String, Function<NumericWidth, PerCpuNumeric>> kinds = new HashMap<>();
        kinds.put("static", width -> PerCpuNumeric.define("static", width, 10));
        kinds.put("dynamic", width -> PerCpuNumeric.create(width, 10));
        kinds.put("static guarded", width -> PerCpuNumeric.of(StaticPerCpu.defineNumeric("guarded", width, 10)));
        kinds.put("dynamic guarded", width -> PerCpuNumeric.of(DynamicPerCpu.createNumeric(width, 10)));
        return Stream.of(NumericWidth.values())
                .flatMap(width -> kinds.entrySet().stream()
                        .map(kind -> Arguments.of(
                                width, kind.getKey(), kind.getValue().apply(width))));
    }

    @ParameterizedTest(name = "{1} {0}", autoCloseArguments = false)
    @MethodSource("numbers")
    void operations(NumericWidth width, String kind, PerCpuNumeric number) {
        OnCpu.run(CPU, () -> {
            assertThat(number.width()).isEqualTo(width);
            assertThat(number.get()).isEqualTo(10);
            number.increment();
            assertThat(number.get()).isEqualTo(11);
            number.add(10);
            assertThat(number.get()).isEqualTo(21);
            number.sub(5);
            assertThat(number.get()).isEqualTo(16);
            number.decrement();
            assertThat(number.addAndGet(-16)).isEqualTo(-1);
            number.set(0b1100);
            number.and(0b0110);
            assertThat(number.get()).isEqualTo(0b0100);
            number.or(0b0001);
            assertThat(number.get()).isEqualTo(0b0101);
            assertThat(number.getAndSet(-2)).isEqualTo(5);
            assertThat(number.compareAndExchange(-3, 7)).isEqualTo(-2);
            assertThat(number.get()).isEqualTo(-2);
            assertThat(number.compareAndExchange(-2, 7)).isEqualTo(-2);
            assertThat(number.get()).isEqualTo(7);
        });
        assertThat(number.get(CPU)).isEqualTo(7);
        assertThat(number.elsewhere()).isZero();
    }

    @ParameterizedTest(name = "{1} {0}", autoCloseArguments = false)
    @MethodSource("numbers")
    void wrapsAtItsWidth(NumericWidth width, String kind, PerCpuNumeric number) {
        long largest = (1L << (width.bits() - 1)) - 1;
        long smallest = -largest - 1;
        OnCpu.run(CPU, () -> {
            number.set(largest);
            assertThat(number.addAndGet(1)).isEqualTo(smallest);
            assertThat(number.get()).isEqualTo(smallest);
            number.decrement();
            assertThat(number.getAndAdd(1)).isEqualTo(largest);
            assertThat(number.getAndAdd(-1)).isEqualTo(smallest);
            assertThat(number.get()).isEqualTo(largest);
            // What lies above the width does not count, neither as operand nor as expected value.
            long above = width == NumericWidth.LONG ? 0 : 1L << width.bits();
            assertThat(number.compareAndExchange(largest | above, 5 | above)).isEqualTo(largest);
            assertThat(number.getAndSet(-1)).isEqualTo(5);
        });
    }

    @ParameterizedTest(name = "{1} {0}", autoCloseArguments = false)
    @MethodSource("numbers")
    void everyPossibleCpuBeginsWithTheInitialValue(NumericWidth width, String kind, PerCpuNumeric number) {
        long[] expected = new long[CpuMask.capacity()];
        CpuMask.possible().ids().forEach(cpu -> expected[cpu] = 10);
        assertThat(number.snapshot()).isEqualTo(expected);
        assertThat(number.sum()).isEqualTo(10L * CpuMask.possible().weight());

        assertThat(number.get(CPU)).isEqualTo(10);
        assertThat(number.toString()).contains(Long.toString(number.sum()));
    }

    @Test
    void neighboursDoNotDisturbEachOther() {
        PerCpuNumeric[] bytes = new PerCpuNumeric[16];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = PerCpuNumeric.create(NumericWidth.BYTE, i);
        }
        OnCpu.run(CPU, () -> {
            for (int i = 0; i < bytes.length; i += 2) {
                bytes[i].add(100);
                bytes[i].and(-1);
            }
            for (int i = 0; i < bytes.length; i++) {
                assertThat(bytes[i].get()).isEqualTo(i % 2 == 0 ? (byte) (i + 100) : i);
            }
        });
    }

    @Test
    void aGuardedUpdateWaitsForTheOwner() throws InterruptedException {
        StaticPerCpu<NumericCell> cells = StaticPerCpu.defineNumeric("guarded", NumericWidth.LONG, 0);
        PerCpuNumeric number = PerCpuNumeric.of(cells);
        PerCpuNumeric pure = PerCpuNumeric.create(NumericWidth.LONG);
        List<Holder> holders = new ArrayList<>();
        for (CpuId cpu : CpuMask.possible()) {
            holders.add(Holder.of(cpu));
        }
        Thread adder = new Thread(() -> {
            // These change nothing, and so need not wait.
            number.add(0);
            number.sub(0);
            number.or(0);
            number.and(-1);
            pure.increment();
            number.increment();
        });
        adder.start();
        Workers.awaitTimedWait(adder);
        assertThat(number.sum()).isZero();
        assertThat(pure.sum()).as("no guard protects it, so it did not wait").isEqualTo(1);
        for (Holder holder : holders) {
            holder.release();
        }
        adder.join();
        assertThat(number.sum()).isEqualTo(1);
    }

    @Test
    void aGuardedUpdateIsAllowedToTheOwner() {
        StaticPerCpu<NumericCell> cells = StaticPerCpu.defineNumeric("guarded", NumericWidth.INT, 0);
        PerCpuNumeric number = PerCpuNumeric.of(cells);
        OnCpu.run(CPU, () -> {
            try (CpuGuard guard = CpuGuard.acquire()) {
                cells.getMut(guard).run(cell -> {
                    assertThat(cell.addAndGet(1)).isEqualTo(1);
                    number.add(2);
                    assertThat(number.addAndGet(4)).isEqualTo(7);
                    assertThat(cell.get()).isEqualTo(7);
                    cell.add(8);
                    assertThat(cell.get()).isEqualTo(15);
                    assertThat(cell.width()).isEqualTo(NumericWidth.INT);
                });
            }
        });
        assertThat(number.sum()).isEqualTo(15);
    }

    @Test
    void aClosedNumberRefusesEverything() {
        DynamicNumeric number = PerCpuNumeric.create(NumericWidth.LONG);
        number.close();
        number.close();
        assertThatThrownBy(number::increment)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(() -> number.add(0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> number.or(0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> number.and(-1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(number::get).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(number::sum).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> number.compareAndExchange(0, 1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(number::snapshot).isInstanceOf(IllegalStateException.class);
        assertThat(number.toString()).contains("closed");
    }

    @Test
    void theNumberOfAClosedVariableRefusesEverything() {
        DynamicPerCpu<NumericCell> variable = DynamicPerCpu.createNumeric(NumericWidth.LONG, 0);
        PerCpuNumeric number = PerCpuNumeric.of(variable);
        NumericCell cell = variable.ptr().getPtr();
        variable.close();
        assertThatThrownBy(number::increment).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(number::get).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(number::sum).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(cell::get).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> cell.set(1)).isInstanceOf(IllegalStateException.class);
    }

    /** Whoever has one cannot close it by mistake, in a try statement say. */
    @Test
    void onlyWhatWasCreatedCanBeClosed() {
        assertThat(PerCpuNumeric.define("eternal", NumericWidth.LONG)).isNotInstanceOf(AutoCloseable.class);
        assertThat(PerCpuNumeric.of(StaticPerCpu.defineNumeric("n", NumericWidth.LONG, 0)))
                .isNotInstanceOf(AutoCloseable.class);
        assertThat(PerCpuDouble.define("eternal double")).isNotInstanceOf(AutoCloseable.class);
    }

    @Test
    void aNumberThatNobodyHasGivesItsPlaceBackZeroed() throws InterruptedException {
        int numbers = Effort.scaled(1000);
        long before = Area.usedBytesPerCpu();
        for (int i = 0; i < numbers; i++) {
            PerCpuNumeric.create(NumericWidth.LONG, -1);
        }
        Garbage.collectUntil(() -> Area.usedBytesPerCpu() <= before);
        for (int i = 0; i < numbers; i++) {
            assertThat(PerCpuNumeric.create(NumericWidth.LONG).sum()).isZero();
        }
    }

    @Test
    void doubles() {
        PerCpuDouble number = PerCpuDouble.define("double", 1.5);
        OnCpu.run(CPU, () -> {
            assertThat(number.get()).isEqualTo(1.5);
            number.add(0.25);
            assertThat(number.addAndGet(-2)).isEqualTo(-0.25);
            assertThat(number.getAndSet(-0.0)).isEqualTo(-0.25);
            assertThat(number.compareAndExchange(0.0, 1)).isEqualTo(-0.0);
            assertThat(number.get()).as("0.0 is not -0.0").isEqualTo(-0.0);
            assertThat(number.compareAndExchange(-0.0, Double.NaN)).isEqualTo(-0.0);
            assertThat(number.compareAndExchange(Double.NaN, 4)).isNaN();
            number.set(number.get() + 1);
        });
        assertThat(number.get(CPU)).isEqualTo(5);
        assertThat(number.sum()).isEqualTo(5 + 1.5 * (CpuMask.possible().weight() - 1));
        assertThat(number.toString()).isEqualTo("double = " + number.sum());
        assertThat(number.elsewhere()).isZero();
        assertThat(number.snapshot()[CPU.id()]).isEqualTo(5);
        double before = number.sum();
        number.sub(0.5);
        assertThat(number.sum()).isEqualTo(before - 0.5);

        DynamicDouble closed = PerCpuDouble.create();
        assertThat(closed.sum()).isZero();
        closed.close();
        assertThatThrownBy(() -> closed.add(1)).isInstanceOf(IllegalStateException.class);
    }

    /** 0.0 is added without a call, as it changes nothing but a -0.0. */
    @Test
    void zeroIsAddedExactly() {
        DynamicDouble number = PerCpuDouble.create();
        OnCpu.run(CPU, () -> {
            assertThat(afterAdding(0.0, PerCpuDouble.define("minus zero", -0.0)))
                    .isEqualTo("0.0");
            assertThat(afterAdding(-0.0, PerCpuDouble.define("minus zero", -0.0)))
                    .isEqualTo("-0.0");
            assertThat(afterAdding(0.0, number)).isEqualTo("0.0");
            assertThat(afterAdding(-0.0, number)).isEqualTo("0.0");
            number.set(Double.NaN);
            assertThat(afterAdding(0.0, number)).isEqualTo("NaN");

            PerCpuDouble set = PerCpuDouble.create();
            set.set(-0.0);
            assertThat(afterAdding(0.0, set)).isEqualTo("0.0");
            PerCpuDouble exchanged = PerCpuDouble.create(3);
            assertThat(exchanged.getAndSet(-0.0)).isEqualTo(3);
            assertThat(afterAdding(0.0, exchanged)).isEqualTo("0.0");
            PerCpuDouble compared = PerCpuDouble.create();
            assertThat(compared.compareAndExchange(0.0, -0.0)).isEqualTo(0);
            assertThat(afterAdding(0.0, compared)).isEqualTo("0.0");
        });
        number.close();
        assertThatThrownBy(() -> number.add(0.0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> number.sub(0.0)).isInstanceOf(IllegalStateException.class);
    }

    /** As text, in which 0.0 differs from -0.0. */
    private static String afterAdding(double delta, PerCpuDouble number) {
        number.add(delta);
        return Double.toString(number.get());
    }

    @Test
    void manyThreadsCountExactly() throws InterruptedException {
        int rounds = Effort.scaled(100_000);
        PerCpuNumeric number = PerCpuNumeric.create(NumericWidth.LONG);
        PerCpuDouble sum = PerCpuDouble.create(0);
        Workers.run("counter-", 8, thread -> {
            for (int i = 0; i < rounds; i++) {
                number.increment();
                sum.add(1);
            }
        });
        assertThat(number.sum()).isEqualTo(8L * rounds);
        assertThat(sum.sum()).isEqualTo(8.0 * rounds);
    }
}

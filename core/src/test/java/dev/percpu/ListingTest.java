package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuBoundedCounter;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import dev.percpu.concurrent.PerCpuRef;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.listing.Value;
import dev.percpu.listing.Variable;
import dev.percpu.memory.NumericWidth;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A listing has the values of all that it names. */
class ListingTest {
    private static Value value(String name) {
        List<Value> values = Listed.variable(name).values();
        assertThat(values).extracting(Value::name).containsExactly("value");
        return values.getFirst();
    }

    private static Map<String, Number> totals(String name) {
        Map<String, Number> totals = new LinkedHashMap<>();
        Listed.variable(name).values().forEach(value -> totals.put(value.name(), value.total()));
        return totals;
    }

    /** Which values are sums of updates, so that a tool may show how fast they grow. */
    private static List<String> sums(String name) {
        return Listed.variable(name).values().stream()
                .filter(Value::cumulative)
                .map(Value::name)
                .toList();
    }

    /** Does something once on each usable CPU. */
    private static void onEachCpu(Runnable action) {
        CpuId.onEachCpu(_ -> action.run());
    }

    /** A number of each usable CPU, and 0 for the others. */
    private static List<Number> onUsable(Number number, Number zero) {
        List<Number> numbers = new ArrayList<>(Collections.nCopies(CpuMask.capacity(), zero));
        CpuMask.usable().forEach(cpu -> numbers.set(cpu.id(), number));
        return numbers;
    }

    private static long usable() {
        return CpuMask.usable().weight();
    }

    @Test
    void aNumberIsListedInTotalAndByCpu() {
        try (DynamicNumeric number = PerCpuNumeric.create("listing number", NumericWidth.SHORT, 0)) {
            onEachCpu(() -> number.add(-3));
            Value value = value("listing number");
            assertThat(value.total()).isEqualTo(-3 * usable());
            assertThat(value.perCpu()).isEqualTo(onUsable(-3L, 0L));
            assertThat(value.elsewhere()).isEqualTo(0L);
        }
    }

    /** The others wrap so early that the difference of two readings says nothing. */
    @ParameterizedTest
    @EnumSource
    void aNumberOf64BitsIsASumOfUpdates(NumericWidth width) {
        try (DynamicNumeric _ = PerCpuNumeric.create("listing width", width, 1);
                DynamicPerCpu<NumericCell> _ = DynamicPerCpu.createNumeric("listing guarded width", width, 1)) {
            assertThat(List.of(value("listing width"), value("listing guarded width")))
                    .extracting(Value::cumulative)
                    .containsOnly(width == NumericWidth.LONG);
        }
    }

    @Test
    void doublesAreListedAsDoubles() {
        try (DynamicDouble number = PerCpuDouble.create("listing double", 0)) {
            onEachCpu(() -> number.add(0.5));
            assertThat(value("listing double").total()).isEqualTo(0.5 * usable());
            assertThat(value("listing double").perCpu()).isEqualTo(onUsable(0.5, 0.0));
        }
        PerCpuDoubleCounter counter = new PerCpuDoubleCounter("listing double counter");
        onEachCpu(() -> counter.add(0.25));
        assertThat(value("listing double counter").total()).isEqualTo(counter.sum());
        assertThat(value("listing double counter").perCpu()).isEqualTo(onUsable(0.25, 0.0));
        assertThat(sums("listing double counter")).containsExactly("value");
    }

    @Test
    void whatACounterResetIsElsewhere() {
        PerCpuCounter counter = new PerCpuCounter("listing counter");
        onEachCpu(() -> counter.add(5));
        assertThat(counter.sumThenReset()).isEqualTo(5 * usable());
        // By threads that have no place of their own, whose updates would be elsewhere too.
        onEachCpu(counter::increment);
        Value value = value("listing counter");
        assertThat(value.total()).isEqualTo(usable());
        assertThat(value.elsewhere()).isEqualTo(-5 * usable());
        assertThat(value.perCpu().stream().mapToLong(Number::longValue).sum()).isEqualTo(6 * usable());
        assertThat(value.cumulative()).isTrue();
    }

    @Test
    void anArrayOfCountersIsListedAsOne() {
        PerCpuCounterArray counters = new PerCpuCounterArray("listing array", 3);
        onEachCpu(() -> {
            counters.add(0, 5);
            counters.add(2, 7);
        });
        assertThat(counters.sumThenReset(0)).isEqualTo(5 * usable());
        Value value = value("listing array");
        assertThat(value.total()).isEqualTo(7 * usable());
        assertThat(value.perCpu()).isEqualTo(onUsable(12L, 0L));
        assertThat(value.elsewhere()).isEqualTo(-5 * usable());
        assertThat(value.cumulative()).isTrue();
    }

    @Test
    void numbersThatAGuardProtectsAreReadWithoutIt() {
        StaticPerCpu<NumericCell> defined = StaticPerCpu.defineNumeric("listing static cell", NumericWidth.INT, 7);
        try (DynamicPerCpu<NumericCell> made = DynamicPerCpu.createNumeric("listing cell", NumericWidth.LONG, 2);
                CpuGuard guard = CpuGuard.acquire()) {
            made.getMut(guard).run(cell -> cell.add(40));
            assertThat(value("listing cell").total())
                    .isEqualTo(40 + 2L * CpuMask.possible().weight());
            assertThat(value("listing cell").perCpu().get(guard.cpu().id())).isEqualTo(42L);
        }
        assertThat(value("listing static cell").total())
                .isEqualTo(7L * CpuMask.possible().weight());
        assertThat(defined.toString()).startsWith("static per-CPU variable listing static cell at position ");
    }

    @Test
    void accumulatorsAreListedAsTheirFunctionCombines() {
        PerCpuAccumulator most = new PerCpuAccumulator("listing most", Long::max, Long.MIN_VALUE);
        PerCpuDoubleAccumulator least =
                new PerCpuDoubleAccumulator("listing least", Double::min, Double.POSITIVE_INFINITY);
        onEachCpu(() -> {
            most.accumulate(9);
            least.accumulate(-1.5);
        });
        assertThat(value("listing most").total()).isEqualTo(9L);
        assertThat(value("listing most").perCpu()).isEqualTo(onUsable(9L, Long.MIN_VALUE));
        assertThat(value("listing most").cumulative()).isFalse();
        assertThat(value("listing least").total()).isEqualTo(-1.5);
        assertThat(value("listing least").perCpu()).isEqualTo(onUsable(-1.5, Double.POSITIVE_INFINITY));
        assertThat(most.get() + least.get()).isEqualTo(7.5);
    }

    @Test
    void aFunctionThatThrowsDoesNotEndTheListing() {
        AtomicBoolean throwing = new AtomicBoolean();
        PerCpuAccumulator accumulator = new PerCpuAccumulator(
                "listing thrower",
                (left, right) -> {
                    if (throwing.get()) {
                        throw new ArithmeticException("not now");
                    }
                    return left + right;
                },
                0);
        accumulator.accumulate(1);
        throwing.set(true);
        Variable listed = Listed.variable("listing thrower");
        assertThatThrownBy(listed::values).isInstanceOf(ArithmeticException.class);
        throwing.set(false);
        assertThat(listed.values().getFirst().total()).isEqualTo(accumulator.get());
    }

    @Test
    void aHistogramHasCountSumAndQuantilesOfAllThatWasRecorded() {
        PerCpuHistogram histogram = PerCpuHistogram.builder()
                .name("listing histogram")
                .highestTrackable(1000)
                .build();
        try {
            assertThat(totals("listing histogram")).containsExactly(Map.entry("count", 0L), Map.entry("sum", 0L));
            onEachCpu(() -> histogram.record(3, 10));
            assertThat(histogram.snapshotThenReset().count()).isEqualTo(10 * usable());
            assertThat(totals("listing histogram"))
                    .containsExactly(
                            Map.entry("count", 10 * usable()),
                            Map.entry("sum", 30 * usable()),
                            Map.entry("p50", 3L),
                            Map.entry("p90", 3L),
                            Map.entry("p99", 3L),
                            Map.entry("max", 3L));
            assertThat(Listed.variable("listing histogram").values().getFirst().perCpu())
                    .isEqualTo(onUsable(10L, 0L));
            assertThat(sums("listing histogram")).containsExactly("count", "sum");
        } finally {
            Reference.reachabilityFence(histogram);
        }
    }

    @Test
    void aHistogramWithMoreValuesThanCanBeCountedHasNoQuantiles() {
        PerCpuHistogram histogram =
                PerCpuHistogram.builder().name("listing wrapped").build();
        try {
            histogram.record(1, Long.MAX_VALUE);
            histogram.record(1, 1);
            assertThat(totals("listing wrapped")).containsOnlyKeys("count", "sum");
        } finally {
            Reference.reachabilityFence(histogram);
        }
    }

    @Test
    void aPoolTellsWhatItHolds() throws InterruptedException {
        try (PerCpuPool<Object> pool =
                PerCpuPool.builder(3, Object::new).name("listing pool").build()) {
            pool.acquire().release();
            try (var _ = pool.acquire()) {
                assertThat(totals("listing pool"))
                        .containsEntry("held", 1L)
                        .containsEntry("idle", 0L)
                        .containsEntry("capacity", 3L)
                        .containsEntry("made", 1L);
            }
            assertThat(totals("listing pool")).containsEntry("held", 0L).containsEntry("idle", 1L);
            assertThat(sums("listing pool")).containsExactly("made", "destroyed", "exchanges", "searches");
        }
    }

    @Test
    void aLockTellsWhoIsInside() {
        PerCpuReadWriteLock lock = new PerCpuReadWriteLock("listing lock");
        assertThat(totals("listing lock")).containsEntry("writeLocked", 0L).containsEntry("readers", 0L);
        readOften(lock.readLock());
        assertThat(totals("listing lock")).containsEntry("writeLocked", 0L).containsEntry("waiting", 0L);
        lock.writeLock().lock();
        try {
            assertThat(totals("listing lock"))
                    .containsEntry("writeLocked", 1L)
                    .containsEntry("readers", 0L)
                    .containsEntry("waiting", 0L);
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Until readers count by CPU, so that nobody knows how many there are. */
    @SuppressWarnings("LockNotBeforeTry") // there is nothing in between
    private static void readOften(Lock readLock) {
        for (int i = 0; i < 1_000_000; i++) {
            readLock.lock();
            readLock.unlock();
        }
    }

    @Test
    void aRefTellsWhetherItIsLiveAndThenItsCount() {
        PerCpuRef ref = new PerCpuRef("listing ref", () -> {});
        ref.get();
        assertThat(totals("listing ref")).containsExactly(Map.entry("live", 1L));
        ref.kill();
        assertThat(totals("listing ref")).containsExactly(Map.entry("live", 0L), Map.entry("count", 1L));
        ref.put();
        assertThat(totals("listing ref")).containsEntry("count", 0L);
    }

    @Test
    void aBoundedCounterTellsItsExactValue() {
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter("listing quota", 32);
        onEachCpu(() -> counter.add(7));
        assertThat(totals("listing quota"))
                .containsExactly(
                        Map.entry("value", 7 * usable()),
                        Map.entry("batch", 32L),
                        Map.entry("errorBound", counter.errorBound()));
        assertThat(sums("listing quota")).containsExactly("value");
    }

    @Test
    void objectsHaveNoValues() {
        StaticPerCpu<StringBuilder> object = StaticPerCpu.define("listing object", StringBuilder::new);
        assertThat(Listed.variable("listing object").values()).isEmpty();
        assertThat(Listed.variable("listing object").type()).isEqualTo("object");
        assertThat(object).hasToString("static per-CPU variable listing object");
    }
}

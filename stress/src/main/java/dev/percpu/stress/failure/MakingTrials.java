package dev.percpu.stress.failure;

import dev.percpu.DynamicPerCpu;
import dev.percpu.PerCpuDouble;
import dev.percpu.PerCpuNumeric;
import dev.percpu.cell.Opaque;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuBoundedCounter;
import dev.percpu.concurrent.PerCpuBuckets;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.concurrent.PerCpuEvent;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import dev.percpu.concurrent.PerCpuRef;
import dev.percpu.concurrent.PerCpuSummary;
import dev.percpu.concurrent.Pooled;
import dev.percpu.cpu.CpuMask;
import dev.percpu.memory.NumericWidth;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Each structure is made, used once if it was, and dropped. */
final class MakingTrials {
    private MakingTrials() {}

    static List<Operation> all() {
        return List.of(
                making(
                        "counter",
                        "new PerCpuCounter(String)",
                        PerCpuCounter::new,
                        PerCpuCounter::increment,
                        PerCpuCounter::sum),
                making(
                        "counter array",
                        "new PerCpuCounterArray(String, int)",
                        name -> new PerCpuCounterArray(name, 3),
                        counters -> counters.increment(2),
                        counters -> counters.sum(2)),
                making(
                        "counter array with names",
                        "new PerCpuCounterArray(String, List)",
                        name -> new PerCpuCounterArray(name, List.of("first", "second")),
                        counters -> counters.increment(1),
                        counters -> counters.sum(1)),
                making(
                        "buckets",
                        "new PerCpuBuckets(String, int)",
                        name -> new PerCpuBuckets(name, 3),
                        buckets -> buckets.record(2, 1),
                        buckets -> (long) buckets.sum()),
                making(
                        "double counter",
                        "new PerCpuDoubleCounter(String)",
                        PerCpuDoubleCounter::new,
                        counter -> counter.add(1),
                        counter -> (long) counter.sum()),
                making(
                        "accumulator",
                        "new PerCpuAccumulator(String, LongBinaryOperator, long)",
                        name -> new PerCpuAccumulator(name, Long::sum, 0),
                        sum -> sum.accumulate(1),
                        PerCpuAccumulator::get),
                making(
                        "maximum",
                        "PerCpuAccumulator.maximum(String)",
                        PerCpuAccumulator::maximum,
                        maximum -> maximum.accumulate(1),
                        PerCpuAccumulator::get),
                making(
                        "minimum",
                        "PerCpuAccumulator.minimum(String)",
                        PerCpuAccumulator::minimum,
                        minimum -> minimum.accumulate(1),
                        PerCpuAccumulator::get),
                making(
                        "double accumulator",
                        "new PerCpuDoubleAccumulator(String, DoubleBinaryOperator, double)",
                        name -> new PerCpuDoubleAccumulator(name, Double::sum, 0),
                        sum -> sum.accumulate(1),
                        sum -> (long) sum.get()),
                making(
                        "bounded counter",
                        "new PerCpuBoundedCounter(String, int)",
                        name -> new PerCpuBoundedCounter(name, 2),
                        counter -> counter.add(1),
                        PerCpuBoundedCounter::sum),
                making(
                        "histogram",
                        "HistogramBuilder.build()",
                        name -> PerCpuHistogram.builder()
                                .name(name)
                                .bounds(1, 10)
                                .build(),
                        histogram -> histogram.record(1),
                        histogram -> histogram.snapshot().count()),
                making(
                        "summary",
                        "new PerCpuSummary(String)",
                        PerCpuSummary::new,
                        summary -> summary.accept(1),
                        summary -> summary.summary().count()),
                making(
                        "event",
                        "EventBuilder.build()",
                        name -> PerCpuEvent.builder()
                                .name(name)
                                .increment(new PerCpuCounter())
                                .build(),
                        PerCpuEvent::record,
                        _ -> 1),
                making(
                        "lock",
                        "new PerCpuReadWriteLock(String)",
                        PerCpuReadWriteLock::new,
                        lock -> lock.readLock().lock(),
                        lock -> {
                            lock.readLock().unlock();
                            return lock.writeLock().tryLock() ? 1 : 0;
                        }),
                making(
                        "ref",
                        "new PerCpuRef(String, Runnable)",
                        name -> new PerCpuRef(name, () -> {}),
                        PerCpuRef::get,
                        ref -> ref.isKilled() ? 0 : 1),
                making(
                        "pool",
                        "PoolBuilder.build()",
                        name -> PerCpuPool.builder(2, Object::new).name(name).build(),
                        pool -> Objects.requireNonNull(pool.tryAcquire()).release(),
                        pool -> pool.statistics().idle()),
                making(
                        "pool with handles",
                        "PerCpuPool.builderWithHandle(int, Function)",
                        name -> PerCpuPool.builderWithHandle(2, Handle::new)
                                .name(name)
                                .build(),
                        pool -> Objects.requireNonNull(pool.tryAcquire()).release(),
                        pool -> pool.statistics().idle()),
                making(
                        "number",
                        "PerCpuNumeric.create(String, NumericWidth, long)",
                        name -> PerCpuNumeric.create(name, NumericWidth.LONG, 3),
                        PerCpuNumeric::increment,
                        number -> number.sum() - 3L * CpuMask.possible().weight()),
                making(
                        "double",
                        "PerCpuDouble.create(String, double)",
                        name -> PerCpuDouble.create(name, 0),
                        number -> number.add(1),
                        number -> (long) number.sum()),
                making(
                        "guarded number",
                        "DynamicPerCpu.createNumeric(String, NumericWidth, long)",
                        name -> DynamicPerCpu.createNumeric(name, NumericWidth.LONG, 0),
                        cells -> cells.run(cell -> cell.add(1)),
                        cells -> PerCpuNumeric.of(cells).sum()),
                making(
                        "variable of objects",
                        "DynamicPerCpu.createFrom(String, Function)",
                        name -> DynamicPerCpu.createFrom(name, _ -> new long[1]),
                        objects -> objects.run(object -> object[0]++),
                        objects -> {
                            long[] sum = new long[1];
                            objects.forEachCpu((_, object) -> sum[0] += object[0]);
                            return sum[0];
                        }),
                making(
                        "variable of memory",
                        "DynamicPerCpu.createZero(String, MemoryLayout, Function)",
                        name -> DynamicPerCpu.createZero(name, ValueLayout.JAVA_LONG, Opaque::new),
                        views -> views.run(view -> view.get().set(ValueLayout.JAVA_LONG, 0, 1)),
                        views -> {
                            long[] sum = new long[1];
                            views.forEachCpu((_, view) -> sum[0] += view.get().get(ValueLayout.JAVA_LONG, 0));
                            return sum[0];
                        }));
    }

    /** An object that keeps its handle. */
    private record Handle(Pooled<Handle> pooled) {}

    private static <T> Operation making(
            String what, String method, Function<String, T> maker, Consumer<T> use, ToLongFunction<T> total) {
        return new Operation("make " + what, method, () -> new Making<>(maker, use, total));
    }

    /** It is made and works, or it is not: then no name of it is listed, and its part of the area comes back. */
    private static final class Making<T> extends Trial {
        private static final String NAME = "made in a trial";

        /** A collection takes milliseconds. What is lost in each round is missed in any later one. */
        private static final int ROUNDS_PER_LOOK = 8;

        private final Function<String, T> maker;
        private final Consumer<T> use;
        private final ToLongFunction<T> total;
        private int rounds;
        private @Nullable T made;

        /** What was in use at first. */
        private @Nullable UsedArea before;

        Making(Function<String, T> maker, Consumer<T> use, ToLongFunction<T> total) {
            this.maker = maker;
            this.use = use;
            this.total = total;
        }

        @Override
        void prepare() throws Exception {
            // Not in verify. There this thread's stack can still have a word that points to what was made last, and the
            // garbage collector may take it for a reference.
            if (rounds % ROUNDS_PER_LOOK == 0) {
                other.run("looking at the area", this::checkNothingIsLost);
            }
        }

        private void checkNothingIsLost() throws InterruptedException {
            if (before == null) {
                before = UsedArea.now();
            }
            before.checkNothingIsLost(0);
        }

        @Override
        void act() {
            made = maker.apply(NAME);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            boolean did = made != null;
            check(did || thrown != null, "nothing was made");
            other.run("using it", this::useIt);
            made = null;
            rounds++;
            return did;
        }

        private void useIt() {
            T thing = made;
            if (thing != null) {
                use.accept(thing);
                same("a total of what was made", 1, total.applyAsLong(thing));
            }
        }
    }
}

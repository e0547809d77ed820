package dev.percpu.stress.failure;

import dev.percpu.PerCpuRuntime;
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
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Each structure is made, used once if it was, and dropped. */
final class MakingTrials {
    private MakingTrials() {}

    static List<Operation> all() {
        return List.of(
                making("counter", PerCpuCounter::new, PerCpuCounter::increment, PerCpuCounter::sum),
                making(
                        "counter array",
                        name -> new PerCpuCounterArray(name, 3),
                        counters -> counters.increment(2),
                        counters -> counters.sum(2)),
                making("buckets", name -> new PerCpuBuckets(name, 3), buckets -> buckets.record(2, 1), buckets ->
                        (long) buckets.sum()),
                making("double counter", PerCpuDoubleCounter::new, counter -> counter.add(1), counter ->
                        (long) counter.sum()),
                making(
                        "accumulator",
                        name -> new PerCpuAccumulator(name, Long::sum, 0),
                        sum -> sum.accumulate(1),
                        PerCpuAccumulator::get),
                making(
                        "double accumulator",
                        name -> new PerCpuDoubleAccumulator(name, Double::sum, 0),
                        sum -> sum.accumulate(1),
                        sum -> (long) sum.get()),
                making(
                        "bounded counter",
                        name -> new PerCpuBoundedCounter(name, 2),
                        counter -> counter.add(1),
                        PerCpuBoundedCounter::sum),
                making(
                        "histogram",
                        name -> PerCpuHistogram.builder()
                                .name(name)
                                .bounds(1, 10)
                                .build(),
                        histogram -> histogram.record(1),
                        histogram -> histogram.snapshot().count()),
                making(
                        "summary",
                        PerCpuSummary::new,
                        summary -> summary.accept(1),
                        summary -> summary.summary().count()),
                making(
                        "event",
                        name -> PerCpuEvent.builder(name)
                                .increment(new PerCpuCounter())
                                .build(),
                        PerCpuEvent::record,
                        _ -> 1),
                making("lock", PerCpuReadWriteLock::new, lock -> lock.readLock().lock(), lock -> {
                    lock.readLock().unlock();
                    return lock.writeLock().tryLock() ? 1 : 0;
                }),
                making("ref", name -> new PerCpuRef(name, () -> {}), PerCpuRef::get, ref -> ref.isKilled() ? 0 : 1),
                making(
                        "pool",
                        name -> PerCpuPool.builder(2, Object::new).name(name).build(),
                        pool -> Objects.requireNonNull(pool.tryAcquire()).release(),
                        pool -> pool.statistics().idle()));
    }

    private static <T> Operation making(String what, Function<String, T> maker, Use<T> use, Total<T> total) {
        return new Operation("make " + what, other -> new Making<>(other, maker, use, total));
    }

    private interface Use<T> {
        void of(T made);
    }

    private interface Total<T> {
        long of(T made);
    }

    /** It is made and works, or it is not: then no name of it is listed, and its part of the area comes back. */
    private static final class Making<T> extends Trial {
        private static final String NAME = "made in a trial";

        /** A collection takes milliseconds. What is lost in each round is missed in any later one. */
        private static final int ROUNDS_PER_LOOK = 8;

        private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

        private final OtherThread other;
        private final Function<String, T> maker;
        private final Use<T> use;
        private final Total<T> total;
        private final long usedBefore;
        private int rounds;
        private @Nullable T made;

        Making(OtherThread other, Function<String, T> maker, Use<T> use, Total<T> total) throws Exception {
            this.other = other;
            this.maker = maker;
            this.use = use;
            this.total = total;
            this.usedBefore = other.call("looking at the area", Making::settled);
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
            if (rounds % ROUNDS_PER_LOOK == 0) {
                other.run("looking at the area", this::checkNothingIsLost);
            }
            return did;
        }

        private void useIt() {
            T thing = made;
            if (thing != null) {
                use.of(thing);
                same("a total of what was made", 1, total.of(thing));
            }
        }

        private void checkNothingIsLost() throws InterruptedException {
            long end = System.nanoTime() + PATIENCE_NANOS;
            while (used() > usedBefore) {
                check(System.nanoTime() < end, used() - usedBefore + " bytes of each CPU's place are lost");
                System.gc();
                Thread.sleep(1);
            }
        }

        /** The bytes in use when nothing comes back any more. */
        private static long settled() throws InterruptedException {
            long seen;
            long now = used();
            do {
                seen = now;
                System.gc();
                Thread.sleep(2);
                now = used();
            } while (now < seen);
            return now;
        }

        private static long used() {
            return PerCpuRuntime.memory().usedBytesPerCpu();
        }
    }
}

package dev.percpu.concurrent;

import static dev.percpu.concurrent.PerCpuEvent.Argument.FIRST;
import static dev.percpu.concurrent.PerCpuEvent.Argument.SECOND;
import static dev.percpu.concurrent.PerCpuEvent.Argument.THIRD;
import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.HotThread;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Workers;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What an event does on a thread that has a place of its own. It is in JVMs of their own, since only the first events
 * of a process use own places.
 */
@Tag("native")
class OwnEventTest {
    private static String run(Class<?> probe, String... options) {
        Jvm jvm = Jvm.asHere();
        for (String option : options) {
            jvm.option(option);
        }
        return jvm.run(probe).output().strip();
    }

    @Test
    void eachKindOfUpdateIsMadeOnceAndInTheOwnPlace() {
        assertThat(run(Kinds.class)).isEqualTo("done");
    }

    @Test
    void soItIsInTheInterpreter() {
        assertThat(run(Kinds.class, "-Xint")).isEqualTo("done");
    }

    @Test
    void afterTheFirstEventsTheOthersMakeCalls() {
        assertThat(run(Many.class)).isEqualTo("of 300 events, 256 in the own place; all exact");
    }

    @Test
    void theClassGoesWithItsEvent() {
        assertThat(run(Dropped.class)).isEqualTo("unloaded");
    }

    @Test
    void noPlaceIsTakenForEventsThatCannotUseIt() {
        assertThat(run(Large.class)).isEqualTo("no places");
    }

    /** Makes the current thread hot, also in an emulated machine, where updates alone can be too slow for it. */
    private static void becomeHot() {
        while (HotThread.tryGetPlace() == HotThread.NO_PLACE) {
            Thread.onSpinWait();
        }
    }

    /** What is in the current thread's own place. */
    private static long own(long position) {
        return (long) Area.LONG.getOpaque(Area.MEMORY, OwnPlaces.mine() + position);
    }

    /** Records nothing but an event of more updates than an own place's class has. */
    static final class Large {
        private Large() {}

        public static void main(String[] arguments) throws InterruptedException {
            EventBuilder builder = PerCpuEvent.builder();
            for (int i = 0; i < 9; i++) {
                builder = builder.increment(new PerCpuCounter());
            }
            PerCpuEvent event = builder.build();
            AtomicInteger places = new AtomicInteger();
            Workers.run("recording-", 4, _ -> {
                for (int i = 0; i < 500_000 && !OwnPlaces.hasMine(); i++) {
                    event.record();
                }
                places.addAndGet(OwnPlaces.hasMine() ? 1 : 0);
            });
            System.out.println(places.get() == 0 ? "no places" : places + " places");
        }
    }

    /** Runs in a JVM of its own. */
    static final class Kinds {
        /** So many that the JIT compiler compiles them. */
        private static final int ROUNDS = 20_000;

        private final PerCpuCounter count = new PerCpuCounter();
        private final PerCpuCounter bytes = new PerCpuCounter();
        private final PerCpuCounterArray array = new PerCpuCounterArray(4);
        private final PerCpuHistogram histogram =
                PerCpuHistogram.builder().bounds(10, 20).build();
        private final PerCpuDoubleCounter doubles = new PerCpuDoubleCounter();

        public static void main(String[] arguments) {
            becomeHot();
            new Kinds().sums();
            new Kinds().constants();
            new Kinds().extremes();
            new Kinds().severalHistograms();
            new Kinds().largeOnes();
            new Kinds().whatIsWrongUpdatesNothing();
            new Kinds().eachOfManyIndexesIsChecked();
            new Kinds().functionsComeAfterwards();
            System.out.println("done");
        }

        private void sums() {
            PerCpuEvent event = PerCpuEvent.builder()
                    .add(count, 3)
                    .increment(array, FIRST)
                    .add(array, FIRST, SECOND)
                    .add(bytes, SECOND)
                    .record(histogram, SECOND)
                    .add(doubles, THIRD)
                    .build();
            for (int i = 0; i < ROUNDS; i++) {
                event.record(i & 3, i, 0.5);
            }
            expect("constants in the own place", 3L * ROUNDS, own(count.position()));
            expect("constants", 3L * ROUNDS, count.sum());
            long all = LongStream.range(0, ROUNDS).sum();
            expect("arguments", all, bytes.sum());
            expect("arguments in the own place", all, own(bytes.position()));
            for (int index = 0; index < 4; index++) {
                int of = index;
                long added =
                        LongStream.range(0, ROUNDS).filter(i -> (i & 3) == of).sum();
                expect("element " + index, ROUNDS / 4 + added, array.sum(index));
                expect("element in the own place", ROUNDS / 4 + added, own(array.position(index)));
            }
            HistogramSnapshot snapshot = histogram.snapshot();
            expect("records", ROUNDS, snapshot.count());
            expect("sum of records", all, snapshot.sum());
            expect("values up to 10 in the own place", 11, own(histogram.bucketsPosition()));
            expect("half doubles", ROUNDS, (long) (2 * doubles.sum()));
        }

        private void constants() {
            PerCpuEvent event = PerCpuEvent.builder()
                    .increment(array, 1)
                    .add(array, 2, FIRST)
                    .add(doubles, 0.5)
                    .build();
            for (int i = 0; i < ROUNDS; i++) {
                event.record(i);
            }
            expect("one element in the own place", ROUNDS, own(array.position(1)));
            long all = LongStream.range(0, ROUNDS).sum();
            expect("arguments at one element in the own place", all, own(array.position(2)));
            expect("half doubles", ROUNDS, (long) (2 * doubles.sum()));
        }

        private void extremes() {
            PerCpuAccumulator greatest = PerCpuAccumulator.maximum();
            PerCpuAccumulator least = PerCpuAccumulator.minimum();
            PerCpuEvent event = PerCpuEvent.builder()
                    .increment(count)
                    .accumulate(greatest, FIRST)
                    .accumulate(least, SECOND)
                    .build();
            event.record(Long.MIN_VALUE, Long.MAX_VALUE);
            expect("greatest of none", Long.MIN_VALUE, greatest.get());
            expect("least of none", Long.MAX_VALUE, least.get());
            for (int i = 0; i < ROUNDS; i++) {
                event.record(i * 7L % 1000 - 500, i * 7L % 1000 - 500);
            }
            expect("greatest", 499, greatest.getThenReset());
            expect("least", -500, least.getThenReset());
            event.record(-3, 3);
            expect("greatest after a reset", -3, greatest.get());
            expect("least after a reset", 3, least.get());
            expect("count in the own place", ROUNDS + 2, own(count.position()));
        }

        private void severalHistograms() {
            List<PerCpuHistogram> others = new ArrayList<>();
            EventBuilder builder = PerCpuEvent.builder();
            for (int i = 0; i < 4; i++) {
                PerCpuHistogram other =
                        PerCpuHistogram.builder().bounds(5 + i * 10L).build();
                others.add(other);
                builder.record(other, FIRST);
            }
            PerCpuEvent event = builder.build();
            for (int i = 0; i < 40; i++) {
                event.record(i);
            }
            for (int i = 0; i < 4; i++) {
                PerCpuHistogram other = others.get(i);
                expect("first bucket in the own place", 6 + i * 10L, own(other.bucketsPosition()));
                expect("records", 40, other.snapshot().count());
                expect("sum of records", 780, other.snapshot().sum());
            }
        }

        /** Those that are too large make their call. */
        private void largeOnes() {
            for (int updates = 1; updates <= 16; updates++) {
                List<PerCpuCounter> counters = new ArrayList<>();
                EventBuilder builder = PerCpuEvent.builder();
                for (int i = 0; i < updates; i++) {
                    PerCpuCounter counter = new PerCpuCounter();
                    counters.add(counter);
                    builder.add(counter, FIRST);
                }
                PerCpuEvent event = builder.build();
                event.record(5);
                event.record(-2);
                for (PerCpuCounter counter : counters) {
                    expect("one of " + updates, 3, counter.sum());
                    expect("one of " + updates + " in the own place", updates <= 8 ? 3 : 0, own(counter.position()));
                }
            }
        }

        private void whatIsWrongUpdatesNothing() {
            PerCpuEvent event = PerCpuEvent.builder()
                    .increment(count)
                    .record(histogram, SECOND)
                    .increment(array, FIRST)
                    .build();
            for (long outside : new long[] {-1, 4, 1L << 32, Long.MIN_VALUE}) {
                expectThrown(
                        IndexOutOfBoundsException.class,
                        "index " + outside + " is out of bounds for " + array,
                        () -> event.record(outside, 7));
            }
            event.record(3, 7);
            expect("records", 1, histogram.snapshot().count());
            expect("count", 1, count.sum());
            expect("count in the own place", 1, own(count.position()));
            expect("elements", 1, LongStream.of(array.sums()).sum());
        }

        /** Each array has its own check, and behind the last element of one lies another variable. */
        private void eachOfManyIndexesIsChecked() {
            for (int number = 1; number <= 8; number++) {
                PerCpuCounterArray shorter = new PerCpuCounterArray(1);
                EventBuilder builder = PerCpuEvent.builder();
                for (int i = 1; i < number; i++) {
                    builder.increment(new PerCpuCounterArray(2), FIRST);
                }
                PerCpuEvent event = builder.increment(shorter, FIRST).build();
                expectThrown(
                        IndexOutOfBoundsException.class,
                        "index 1 is out of bounds for " + shorter,
                        () -> event.record(1));
            }
        }

        private void functionsComeAfterwards() {
            PerCpuAccumulator product = new PerCpuAccumulator((x, y) -> x * y, 1);
            PerCpuEvent event = PerCpuEvent.builder()
                    .accumulate(product, FIRST)
                    .increment(count)
                    .build();
            event.record(6);
            event.record(7);
            expect("product", 42, product.get());
            expect("count in the own place", 2, own(count.position()));
        }

        private static void expect(String what, long expected, long found) {
            if (found != expected) {
                throw new AssertionError(what + ": " + found + " instead of " + expected);
            }
        }

        private static void expectThrown(Class<?> type, String message, Runnable task) {
            try {
                task.run();
            } catch (RuntimeException e) {
                if (type.isInstance(e) && String.valueOf(e.getMessage()).contains(message)) {
                    return;
                }
                throw e;
            }
            throw new AssertionError("nothing thrown, expected a " + type + " with " + message);
        }
    }

    /** Runs in a JVM of its own. */
    static final class Many {
        public static void main(String[] arguments) {
            becomeHot();
            int events = 300;
            int own = 0;
            boolean exact = true;
            for (int i = 0; i < events; i++) {
                PerCpuCounter counter = new PerCpuCounter();
                PerCpuEvent event = PerCpuEvent.builder().add(counter, FIRST).build();
                event.record(5);
                own += own(counter.position()) == 5 ? 1 : 0;
                exact &= counter.sum() == 5;
            }
            System.out.println("of " + events + " events, " + own + " in the own place; "
                    + (exact ? "all exact" : "not all exact"));
        }
    }

    /** Runs in a JVM of its own. */
    static final class Dropped {
        public static void main(String[] arguments) {
            becomeHot();
            WeakReference<Class<?>> dropped = use();
            for (int i = 0; i < 50 && dropped.get() != null; i++) {
                System.gc();
            }
            System.out.println(dropped.get() == null ? "unloaded" : "still there");
        }

        private static WeakReference<Class<?>> use() {
            PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
            PerCpuEvent event = PerCpuEvent.builder().add(counter, FIRST).build();
            event.record(5.0);
            OwnEvent own = ((BuiltEvent) event).own();
            return new WeakReference<>(own == null ? Dropped.class : own.getClass());
        }
    }
}

package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cpu.CpuId;
import dev.percpu.internal.linux.Topology;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Serialization;
import dev.percpu.testing.Workers;
import java.io.InvalidObjectException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.DoubleAccumulator;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.function.Consumer;
import java.util.function.DoubleBinaryOperator;
import java.util.function.IntConsumer;
import java.util.function.LongBinaryOperator;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/**
 * Accumulators beside those of java.util.concurrent, and their resets while others accumulate.
 *
 * <p>This file is longer than others: what a reset must not lose has many cases.
 */
class PerCpuAccumulatorTest {
    /** A function that can be serialized. */
    private interface Maximum extends LongBinaryOperator, Serializable {}

    /** A function that can be serialized. */
    private interface DoubleMinimum extends DoubleBinaryOperator, Serializable {}

    /** A function and what it combines with any value to that value. */
    record Kind(String name, LongBinaryOperator function, long identity) {
        @Override
        public String toString() {
            return name;
        }
    }

    @Provide
    Arbitrary<Kind> kinds() {
        return Arbitraries.of(
                new Kind("max", Math::max, Long.MIN_VALUE),
                new Kind("min", Math::min, Long.MAX_VALUE),
                new Kind("sum", Long::sum, 0),
                new Kind("product", (a, b) -> a * b, 1),
                new Kind("or", (a, b) -> a | b, 0),
                new Kind("and", (a, b) -> a & b, -1));
    }

    /** A 0 stands for a reset. */
    @Property(tries = 300)
    void doesWhatLongAccumulatorDoes(@ForAll("kinds") Kind kind, @ForAll List<Long> values) {
        PerCpuAccumulator ours = new PerCpuAccumulator(kind.function(), kind.identity());
        LongAccumulator theirs = new LongAccumulator(kind.function(), kind.identity());
        assertThat(ours.get()).isEqualTo(kind.identity());
        for (long value : values) {
            if (value == 0) {
                assertThat(ours.getThenReset()).isEqualTo(theirs.getThenReset());
            } else {
                ours.accumulate(value);
                theirs.accumulate(value);
            }
            assertThat(ours.get()).isEqualTo(theirs.get());
        }
        PerCpuCounterTest.assertSameNumber(ours, theirs);
        ours.reset();
        assertThat(ours.get()).isEqualTo(kind.identity());
    }

    @Property(tries = 200)
    void doesWhatDoubleAccumulatorDoes(@ForAll List<Double> values) {
        PerCpuDoubleAccumulator ours = new PerCpuDoubleAccumulator(Math::max, Double.NEGATIVE_INFINITY);
        DoubleAccumulator theirs = new DoubleAccumulator(Math::max, Double.NEGATIVE_INFINITY);
        for (double value : values) {
            if (value == 0) {
                assertThat(ours.getThenReset()).isEqualTo(theirs.getThenReset());
            }
            ours.accumulate(value);
            theirs.accumulate(value);
            assertThat(ours.get()).isEqualTo(theirs.get());
        }
        PerCpuCounterTest.assertSameNumber(ours, theirs);
        ours.reset();
        assertThat(ours.get()).isEqualTo(Double.NEGATIVE_INFINITY);
    }

    @Test
    void combinesAllCpus() {
        PerCpuAccumulator sum = new PerCpuAccumulator(Long::sum, 0);
        PerCpuAccumulator least = new PerCpuAccumulator(Math::min, Long.MAX_VALUE);
        AtomicInteger cpus = new AtomicInteger();
        CpuId.onEachCpu(cpu -> {
            sum.accumulate(10);
            least.accumulate(100 + cpu.id());
            cpus.incrementAndGet();
        });
        assertThat(sum.get()).isEqualTo(10L * cpus.get());
        assertThat(least.get()).isEqualTo(100 + Topology.usable().nextSetBit(0));
    }

    @Test
    void aResetNeitherLosesNorDoubles() throws InterruptedException {
        checkResets(Runnable::run);
    }

    /** Hot threads have numbers of their own. Virtual threads change those of the CPUs. */
    @Test
    void norDoesOneOfVirtualThreads() throws InterruptedException {
        checkResets(task -> Workers.join(Thread.startVirtualThread(task)));
    }

    /** With a sum, a value that is lost or counted twice shows. */
    private static void checkResets(Consumer<Runnable> updater) throws InterruptedException {
        int updaters = 8;
        int rounds = Effort.scaled(200_000);
        PerCpuAccumulator sum = new PerCpuAccumulator(Long::sum, 0);
        AtomicLong taken = new AtomicLong();
        IntConsumer task = Workers.untilDone(
                updaters,
                _ -> updater.accept(() -> {
                    for (int i = 0; i < rounds; i++) {
                        sum.accumulate(1);
                    }
                }),
                () -> taken.addAndGet(sum.getThenReset()));
        Workers.run("sum-", updaters + 2, task);
        assertThat(taken.get() + sum.get()).isEqualTo((long) updaters * rounds);
    }

    /** Leaves the CPU now and then, in the middle of whatever calls it. */
    @SuppressWarnings("ThreadPriorityCheck")
    private static long slowMax(long left, long right) {
        if (ThreadLocalRandom.current().nextInt(32) == 0) {
            Thread.yield();
        }
        return Math.max(left, right);
    }

    /** The largest value of all is in some result, and none is in two. */
    @Test
    void aMaximumIsInOneResult() throws InterruptedException {
        int updaters = 6;
        int rounds = 8 * Effort.scaled(2_500);
        PerCpuAccumulator max = new PerCpuAccumulator(PerCpuAccumulatorTest::slowMax, Long.MIN_VALUE);
        List<Long> results = new ArrayList<>();
        IntConsumer task = Workers.untilDone(
                updaters,
                number -> {
                    for (int i = 0; i < rounds; i++) {
                        // Each once, by eights in falling order, so that most change nothing.
                        max.accumulate((long) (i ^ 7) * updaters + number);
                    }
                },
                () -> {
                    long result = max.getThenReset();
                    if (result != Long.MIN_VALUE) {
                        results.add(result);
                    }
                });
        Workers.run("max-", updaters + 1, task);
        if (max.get() != Long.MIN_VALUE) {
            results.add(max.get());
        }
        assertThat(results).doesNotHaveDuplicates();
        assertThat(results.stream().mapToLong(Long::longValue).max()).hasValue((long) updaters * rounds - 1);
    }

    /**
     * Most values are below the maximum, and change nothing. In each round all are below those of the round before. So
     * a value that a maximum of an earlier round seemed to absorb is missing, and one that comes back is too great.
     */
    @Test
    void noRoundHasTheMaximumOfAnother() throws InterruptedException {
        int updaters = 3;
        int rounds = Effort.scaled(1_000);
        int span = 64;
        PerCpuAccumulator max = new PerCpuAccumulator(PerCpuAccumulatorTest::slowMax, Long.MIN_VALUE);
        LongAccumulator taken = new LongAccumulator(Math::max, Long.MIN_VALUE);
        LongAccumulator expected = new LongAccumulator(Math::max, Long.MIN_VALUE);
        AtomicInteger round = new AtomicInteger();
        CyclicBarrier barrier = new CyclicBarrier(updaters + 1, () -> {
            // All wait, so this is what is left of the round.
            taken.accumulate(max.getThenReset());
            assertThat(taken.getThenReset()).as("round %s", round).isEqualTo(expected.getThenReset());
            round.incrementAndGet();
        });
        Workers.run("round-", updaters + 1, number -> {
            SplittableRandom random = new SplittableRandom(number);
            try {
                while (round.get() < rounds) {
                    long lowest = -(long) round.get() * span;
                    if (number == updaters) {
                        for (int reset = 0; reset < 3; reset++) {
                            taken.accumulate(max.getThenReset());
                        }
                    } else {
                        for (int i = 0; i < 100; i++) {
                            long value = lowest + random.nextInt(span);
                            max.accumulate(value);
                            expected.accumulate(value);
                        }
                    }
                    barrier.await();
                }
            } catch (InterruptedException | BrokenBarrierException e) {
                throw new AssertionError(e);
            }
        });
        assertThat(round).hasValue(rounds);
    }

    /** A maximum absorbs a value, and is taken before that value may be noted in the spare slot. */
    @Test
    void aMaximumThatWasTakenMeanwhileDoesNotComeBack() {
        long great = 100;
        long small = 5;
        AtomicReference<Runnable> meanwhile = new AtomicReference<>();
        PerCpuAccumulator max = new PerCpuAccumulator(
                (left, right) -> {
                    Runnable once = left == great ? meanwhile.getAndSet(null) : null;
                    if (once != null) {
                        once.run();
                    }
                    return Math.max(left, right);
                },
                Long.MIN_VALUE);
        int taken = 0;
        // An absorbed value is noted now and then only.
        for (int i = 0; i < 1_000; i++) {
            max.accumulate(great);
            meanwhile.set(() -> assertThat(max.getThenReset()).isEqualTo(great));
            max.accumulate(small);
            if (meanwhile.getAndSet(null) == null) {
                taken++;
                assertThat(max.getThenReset()).isLessThanOrEqualTo(small);
            } else {
                // The thread moved to another CPU in between.
                assertThat(max.getThenReset()).isEqualTo(great);
            }
        }
        assertThat(taken).isPositive();
    }

    @Test
    void aResetWhoseFunctionThrowsLosesNothing() {
        AtomicInteger callsUntilItThrows = new AtomicInteger(Integer.MAX_VALUE);
        PerCpuAccumulator sum = new PerCpuAccumulator(
                (left, right) -> {
                    if (callsUntilItThrows.decrementAndGet() < 0) {
                        throw new IllegalStateException("thrown by the function");
                    }
                    return left + right;
                },
                0);
        long expected = 0;
        for (int calls = 0; calls < 3; calls++) {
            CpuId.onEachCpu(_ -> sum.accumulate(1));
            expected = sum.get();
            callsUntilItThrows.set(calls);
            assertThatThrownBy(sum::getThenReset).hasMessage("thrown by the function");
            callsUntilItThrows.set(Integer.MAX_VALUE);
            assertThat(sum.get()).isEqualTo(expected).isNotZero();
        }
        sum.accumulate(10);
        assertThat(sum.getThenReset()).isEqualTo(expected + 10);
        assertThat(sum.getThenReset()).isZero();
        sum.accumulate(1);
        callsUntilItThrows.set(0);
        assertThatThrownBy(sum::getThenReset).hasMessage("thrown by the function");
        callsUntilItThrows.set(Integer.MAX_VALUE);
        sum.reset();
        assertThat(sum.get()).isZero();
    }

    /** A read calls the function for each number that is kept. */
    @Test
    void aFunctionThatThrowsAgainAndAgainTakesNoMoreMemory() {
        AtomicInteger calls = new AtomicInteger();
        AtomicBoolean throwing = new AtomicBoolean(true);
        PerCpuAccumulator sum = new PerCpuAccumulator(
                (left, right) -> {
                    calls.incrementAndGet();
                    if (throwing.get()) {
                        throw new IllegalStateException("thrown by the function");
                    }
                    return left + right;
                },
                0);
        List<Integer> callsOfRead = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            throwing.set(true);
            assertThatThrownBy(sum::getThenReset).hasMessage("thrown by the function");
            throwing.set(false);
            calls.set(0);
            assertThat(sum.get()).isZero();
            callsOfRead.add(calls.get());
        }
        assertThat(callsOfRead).containsOnly(callsOfRead.getFirst());
    }

    @Test
    void serializesWithItsFunction() {
        PerCpuAccumulator max = new PerCpuAccumulator((Maximum) Math::max, 10);
        max.accumulate(12);
        PerCpuAccumulator copy = Serialization.copy(max);
        copy.accumulate(11);
        assertThat(copy.getThenReset()).isEqualTo(12);
        assertThat(copy.get()).isEqualTo(10);
        assertThat(max.get()).isEqualTo(12);

        PerCpuDoubleAccumulator min = new PerCpuDoubleAccumulator((DoubleMinimum) Math::min, 1.5);
        min.accumulate(0.5);
        assertThat(Serialization.copy(min).get()).isEqualTo(0.5);
        assertThatThrownBy(() -> Serialization.fromFields(PerCpuAccumulator.class))
                .isInstanceOf(InvalidObjectException.class);
        assertThatThrownBy(() -> Serialization.fromFields(PerCpuDoubleAccumulator.class))
                .isInstanceOf(InvalidObjectException.class);
    }
}

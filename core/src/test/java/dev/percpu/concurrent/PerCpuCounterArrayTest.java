package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.Listed;
import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.listing.Value;
import dev.percpu.memory.AreaFullException;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Workers;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.IntConsumer;
import java.util.stream.LongStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/** Counters side by side: beside an array of atomic numbers, and their resets while others update them. */
class PerCpuCounterArrayTest {
    /** More than are copied at once, so that sums are put together from several parts. */
    private static final int LONG = 1_100;

    /** What is done to both, and gives the same results. */
    record Step(String name, int index, long operand) {
        long[] on(PerCpuCounterArray counters) {
            return switch (name) {
                case "add" -> none(() -> counters.add(index, operand));
                case "addTwo" -> none(() -> counters.add(index, operand, second(), ~operand));
                case "increment" -> none(() -> counters.increment(index));
                case "decrement" -> none(() -> counters.decrement(index));
                case "sum" -> new long[] {counters.sum(index)};
                case "sums" -> counters.sums();
                case "resetOne" -> none(() -> counters.reset(index));
                case "reset" -> none(counters::reset);
                case "sumThenReset" -> new long[] {counters.sumThenReset(index)};
                case "sumsThenReset" -> counters.sumsThenReset();
                default -> throw new AssertionError(name);
            };
        }

        long[] on(long[] model) {
            return switch (name) {
                case "add" -> none(() -> model[index] += operand);
                case "addTwo" ->
                    none(() -> {
                        model[index] += operand;
                        model[second()] += ~operand;
                    });
                case "increment" -> none(() -> model[index]++);
                case "decrement" -> none(() -> model[index]--);
                case "sum" -> new long[] {model[index]};
                case "sums" -> model.clone();
                case "resetOne" -> none(() -> model[index] = 0);
                case "reset" -> none(() -> Arrays.fill(model, 0));
                case "sumThenReset" -> {
                    long sum = model[index];
                    model[index] = 0;
                    yield new long[] {sum};
                }
                case "sumsThenReset" -> {
                    long[] sums = model.clone();
                    Arrays.fill(model, 0);
                    yield sums;
                }
                default -> throw new AssertionError(name);
            };
        }

        /** Another index, or the same one at times. */
        private int second() {
            return operand % 4 == 0 ? index : LONG - 1 - index;
        }

        private static long[] none(Runnable step) {
            step.run();
            return new long[0];
        }
    }

    @Provide
    Arbitrary<List<Step>> steps() {
        Arbitrary<String> names = Arbitraries.of(
                "add",
                "add",
                "addTwo",
                "increment",
                "decrement",
                "sum",
                "sums",
                "resetOne",
                "reset",
                "sumThenReset",
                "sumsThenReset");
        // Those at the ends of parts, and few others, so that steps meet.
        Arbitrary<Integer> indexes = Arbitraries.of(0, 1, 2, 511, 512, 513, 1_023, 1_024, LONG - 1);
        return Combinators.combine(names, indexes, Arbitraries.longs())
                .as(Step::new)
                .list()
                .ofMaxSize(60);
    }

    @Property(tries = 200)
    void doesWhatAnArrayOfNumbersDoes(@ForAll("steps") List<Step> steps) {
        PerCpuCounterArray counters = new PerCpuCounterArray(LONG);
        long[] model = new long[LONG];
        for (Step step : steps) {
            assertThat(step.on(counters)).as("%s", step).isEqualTo(step.on(model));
        }
        assertThat(counters.sums()).isEqualTo(model);
        assertThat(counters.length()).isEqualTo(LONG);
    }

    @Test
    void sumsUpAllCpus() {
        PerCpuCounterArray counters = new PerCpuCounterArray(LONG);
        AtomicInteger cpus = new AtomicInteger();
        CpuId.onEachCpu(cpu -> {
            for (int index = 0; index < LONG; index++) {
                counters.add(index, index);
            }
            cpus.incrementAndGet();
        });
        long[] expected =
                LongStream.range(0, LONG).map(index -> index * cpus.get()).toArray();
        assertThat(counters.sums()).isEqualTo(expected);
        assertThat(counters.sum(LONG - 1)).isEqualTo(expected[LONG - 1]);
        assertThat(counters.sumsThenReset()).isEqualTo(expected);
        assertThat(counters.sums()).containsOnly(0);
    }

    @Test
    void refusesIndexesOutsideIt() {
        PerCpuCounterArray counters = new PerCpuCounterArray(3);
        PerCpuCounterArray neighbour = new PerCpuCounterArray(3);
        for (int index : new int[] {-1, 3, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            assertThatThrownBy(() -> counters.add(index, 0)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> counters.add(index, 1))
                    .isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessageContaining("" + index);
            assertThatThrownBy(() -> counters.add(index, 1, 0, 1)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> counters.add(0, 1, index, 1)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThat(counters.sum(0)).isZero();
            assertThatThrownBy(() -> counters.increment(index)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> counters.decrement(index)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> counters.sum(index)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> counters.sumThenReset(index)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> counters.reset(index)).isInstanceOf(IndexOutOfBoundsException.class);
        }
        assertThat(neighbour.sums()).containsOnly(0);
    }

    @Test
    void canBeEmptyButNotShorter() {
        PerCpuCounterArray none = new PerCpuCounterArray(0);
        assertThat(none.length()).isZero();
        assertThat(none.sums()).isEmpty();
        assertThat(none.sumsThenReset()).isEmpty();
        assertThatThrownBy(() -> none.increment(0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> new PerCpuCounterArray("by state", -1))
                .isInstanceOf(NegativeArraySizeException.class)
                .hasMessage("by state of length -1: the length must be at least 0");
    }

    @Test
    void saysWhatDoesNotFit() {
        assertThatThrownBy(() -> new PerCpuCounterArray("all", Integer.MAX_VALUE))
                .isInstanceOf(AreaFullException.class)
                .hasMessageContaining("all of length 2147483647 needs 17179869176 bytes");
        assertThat(PerCpuRuntime.variables())
                .noneMatch(variable -> variable.name().equals("all"));
    }

    @Test
    void hasAName() {
        PerCpuCounterArray named = new PerCpuCounterArray("responses by status", 600);
        assertThat(named).hasToString("responses by status of length 600");
        assertThat(new PerCpuCounterArray(2)).hasToString("a PerCpuCounterArray of length 2");
        assertThat(PerCpuRuntime.variables())
                .anyMatch(variable -> variable.name().equals("responses by status")
                        && variable.type().equals("PerCpuCounterArray"));
        assertThatThrownBy(() -> new PerCpuCounterArray(" ", 1)).isInstanceOf(IllegalArgumentException.class);
        assertThat(named.length()).isEqualTo(600);
    }

    @Test
    void listsItsCountersByTheirNames() {
        var counters = new PerCpuCounterArray("levels", List.of("info", "warning", "error"));
        counters.add(0, 5);
        // A thread without a place of its own counts on its CPU.
        Workers.join(Thread.ofPlatform().start(() -> counters.add(2, -7)));
        assertThat(counters.length()).isEqualTo(3);
        List<Value> values = Listed.variable("levels").values();
        assertThat(values).extracting(Value::name).containsExactly("info", "warning", "error");
        assertThat(values).extracting(Value::total).containsExactly(5L, 0L, -7L);
        assertThat(values).allMatch(Value::cumulative);
        assertThat(values.getLast().perCpu()).hasSize(CpuMask.capacity()).contains(-7L);
        assertThat(counters.sum(2)).isEqualTo(-7);
    }

    @Test
    void refusesNamesThatTellNothing() {
        assertThatThrownBy(() -> new PerCpuCounterArray("levels", List.of("info", " ")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("blank, but this one is \" \"");
        assertThatThrownBy(() -> new PerCpuCounterArray("levels", List.of("info", "info")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("levels: two counters are named \"info\"");
        assertThatThrownBy(() -> new PerCpuCounterArray("levels", Arrays.asList("info", null)))
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("a name must not be null");
    }

    /**
     * Updates, both kinds of resets, and sums at once: each update is in one result. Two resets that both took the same
     * sum would leave one below zero, and so would a sum that saw a reset and not all that it had taken.
     */
    @Test
    void resetsNeitherLoseNorDouble() throws InterruptedException {
        int updaters = 2;
        int resetters = 3;
        int length = 600;
        int rounds = Effort.scaled(20_000);
        PerCpuCounterArray counters = new PerCpuCounterArray(length);
        AtomicLongArray added = new AtomicLongArray(length);
        AtomicLongArray taken = new AtomicLongArray(length);
        AtomicInteger resetting = new AtomicInteger(resetters);
        Workers.run("array-", updaters + resetters, number -> {
            if (number < updaters) {
                long passes = 0;
                while (resetting.get() > 0) {
                    for (int index = 0; index < length; index++) {
                        counters.increment(index);
                    }
                    passes++;
                }
                addAll(added, LongStream.generate(() -> 1).limit(length).toArray(), passes);
                return;
            }
            try {
                long[] mine = new long[length];
                for (int round = 0; round < rounds; round++) {
                    int index = round % length;
                    mine[index] += counters.sumThenReset(index);
                    long[] sums = counters.sumsThenReset();
                    Arrays.setAll(mine, i -> mine[i] + sums[i]);
                    assertThat(least(sums)).isNotNegative();
                    assertThat(least(counters.sums())).isNotNegative();
                    assertThat(counters.sum(index)).isNotNegative();
                }
                addAll(taken, mine, 1);
            } finally {
                resetting.decrementAndGet();
            }
        });
        addAll(taken, counters.sums(), 1);
        assertThat(added.get(0)).isPositive();
        assertThat(taken).hasToString(added.toString());
    }

    private static long least(long[] numbers) {
        return Arrays.stream(numbers).min().orElseThrow();
    }

    private static void addAll(AtomicLongArray to, long[] numbers, long times) {
        for (int index = 0; index < numbers.length; index++) {
            to.addAndGet(index, numbers[index] * times);
        }
    }

    /** Every update changes both halves of a number alike, so a sum of which one half is older shows. */
    @Test
    void noNumberIsTorn() throws InterruptedException {
        long both = (1L << 32) + 1;
        int length = 64;
        int rounds = Effort.scaled(2_000_000);
        PerCpuCounterArray counters = new PerCpuCounterArray(length);
        IntConsumer task = Workers.untilDone(
                2,
                _ -> {
                    for (int i = 0; i < rounds; i++) {
                        counters.add(i % length, i / length % 2 == 0 ? both : -both);
                    }
                },
                () -> {
                    for (long sum : counters.sums()) {
                        assertThat(sum % both).as("0x%016x", sum).isZero();
                    }
                });
        Workers.run("array-", 3, task);
    }
}

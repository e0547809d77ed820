package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.protocol.Credits;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Serialization;
import dev.percpu.testing.Workers;
import java.io.InvalidObjectException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A counter with an estimate and limits, beside a plain number, and many threads at a limit.
 *
 * <p>This file is longer than others: limits above and below, near and far, each have their cases.
 */
class PerCpuBoundedCounterTest {
    private static final int THREADS = 8;

    /** What is done to the counter. */
    record Step(String name, long amount, long limit) {}

    @Provide
    Arbitrary<List<Step>> steps() {
        return Combinators.combine(
                        Arbitraries.of(
                                "add",
                                "increment",
                                "decrement",
                                "sub",
                                "tryAdd",
                                "tryAdd",
                                "trySub",
                                "trySub",
                                "compareTo"),
                        Arbitraries.longs().between(0, 90),
                        Arbitraries.longs().between(-300, 900))
                .as(Step::new)
                .list()
                .ofMaxSize(100);
    }

    @Property(tries = 500)
    void doesWhatANumberDoes(@ForAll("steps") List<Step> steps, @ForAll @IntRange(min = 1, max = 40) int batch) {
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter(batch);
        long number = 0;
        for (Step step : steps) {
            switch (step.name()) {
                case "add" -> {
                    counter.add(step.amount());
                    number += step.amount();
                }
                case "increment" -> {
                    counter.increment();
                    number++;
                }
                case "decrement" -> {
                    counter.decrement();
                    number--;
                }
                case "sub" -> {
                    counter.sub(step.amount());
                    number -= step.amount();
                }
                case "tryAdd" -> {
                    boolean fits = number + step.amount() <= step.limit();
                    assertThat(counter.tryAdd(step.amount(), step.limit()))
                            .as("%s at %d", step, number)
                            .isEqualTo(fits);
                    number += fits ? step.amount() : 0;
                }
                case "trySub" -> {
                    boolean fits = number - step.amount() >= step.limit();
                    assertThat(counter.trySub(step.amount(), step.limit()))
                            .as("%s at %d", step, number)
                            .isEqualTo(fits);
                    number -= fits ? step.amount() : 0;
                }
                case "compareTo" ->
                    assertThat(Integer.signum(counter.compareValueTo(step.limit())))
                            .isEqualTo(Long.compare(number, step.limit()));
                default -> throw new AssertionError(step);
            }
            assertThat(counter.sum()).isEqualTo(number);
            assertThat(counter.estimate()).isBetween(number - counter.errorBound(), number + counter.errorBound());
        }
        assertThat(counter.compareValueTo(number)).isZero();
        PerCpuCounterTest.assertSameNumber(counter, number);
    }

    /** However often it is used up and given back, as many fit as the quota says, whatever CPU they come from. */
    @ParameterizedTest
    @ValueSource(ints = {1, 4, 32})
    void aQuotaIsUsedUpExactly(int batch) throws InterruptedException {
        int quota = 1_000;
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter(batch);
        for (int round = 0; round < Effort.scaled(40); round++) {
            AtomicInteger successes = new AtomicInteger();
            Workers.run("quota-", THREADS, number -> {
                for (int i = 0; i < quota; i++) {
                    if (counter.tryAdd(1, quota)) {
                        successes.incrementAndGet();
                    }
                }
            });
            assertThat(successes).hasValue(quota);
            assertThat(counter.sum()).isEqualTo(quota);
            assertThat(counter.tryAdd(1, quota)).isFalse();
            Workers.run("return-", THREADS, number -> {
                for (int i = 0; i < quota / THREADS; i++) {
                    counter.sub(1);
                }
            });
            assertThat(counter.sum()).isZero();
        }
    }

    /** Each thread tries as often as its share of the quota: not one may be refused. */
    @ParameterizedTest
    @ValueSource(ints = {1, 4, 32})
    void nobodyIsRefusedWhileThereIsRoom(int batch) throws InterruptedException {
        int each = 125;
        int quota = THREADS * each;
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter(batch);
        for (int round = 0; round < Effort.scaled(40); round++) {
            Workers.run("share-", THREADS, number -> {
                for (int i = 0; i < each; i++) {
                    assertThat(counter.tryAdd(1, quota)).isTrue();
                }
            });
            Workers.run("return-", THREADS, number -> counter.sub(each));
        }
        assertThat(counter.sum()).isZero();
    }

    @Test
    void theErrorBoundIsABatchForEachPlaceAndOneMore() {
        assertThat(new PerCpuBoundedCounter(7).errorBound()).isEqualTo(7L * (CpuMask.capacity() + 1));
    }

    @Test
    void aLowerLimitHoldsThoughAllCreditsAreFull() {
        PerCpuBoundedCounter counter = withFullCredits();
        long sum = counter.sum();
        assertThat(counter.trySub(1, sum)).isFalse();
        assertThat(counter.sum()).isEqualTo(sum);
    }

    @Test
    void anUpperLimitIsReachedThoughAllCreditsAreFull() {
        PerCpuBoundedCounter counter = withFullCredits();
        long sum = counter.sum();
        assertThat(counter.tryAdd(1, sum + 1)).isTrue();
        assertThat(counter.tryAdd(1, sum + 1)).isFalse();
    }

    /** The value is as far below what is handed out as it can be. */
    private static PerCpuBoundedCounter withFullCredits() {
        int batch = 32;
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter(batch);
        CpuId.onEachCpu(_ -> {
            for (int i = 0; i < 2 * batch; i++) {
                counter.decrement();
            }
        });
        return counter;
    }

    @Test
    void noCreditOfAnyCpuIsLeftAside() {
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter();
        AtomicInteger successes = new AtomicInteger();
        // Each CPU has credit left over, before and after.
        for (int round = 0; round < 2; round++) {
            CpuId.onEachCpu(cpu -> {
                for (int i = 0; i < 10; i++) {
                    if (counter.tryAdd(1, 500)) {
                        successes.incrementAndGet();
                    }
                }
            });
        }
        while (counter.tryAdd(1, 500)) {
            successes.incrementAndGet();
        }
        assertThat(successes).hasValue(500);
        CpuId.onEachCpu(cpu -> counter.sub(1));
        assertThat(counter.tryAdd(1, 500)).as("room that another CPU made").isTrue();
    }

    /** The shadow is added to later and subtracted from earlier than the counter, so it is never above. */
    @ParameterizedTest
    @ValueSource(ints = {2, 32})
    void neverOvershoots(int batch) throws InterruptedException {
        long limit = 700;
        int rounds = Effort.scaled(100_000);
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter(batch);
        AtomicLong shadow = new AtomicLong();
        Workers.run("overshoot-", THREADS, number -> {
            java.util.Random random = new java.util.Random(number);
            long mine = 0;
            for (int i = 0; i < rounds; i++) {
                long amount = random.nextInt(12);
                if (random.nextInt(5) < 3) {
                    if (counter.tryAdd(amount, limit)) {
                        mine += amount;
                        assertThat(shadow.addAndGet(amount)).isLessThanOrEqualTo(limit);
                    }
                } else {
                    long back = Math.min(amount * 2, mine);
                    shadow.addAndGet(-back);
                    counter.sub(back);
                    mine -= back;
                }
            }
        });
        assertThat(counter.sum()).isEqualTo(shadow.get());
    }

    /**
     * The shadow is never above the counter where that must not be too low, nor below it where it must not be too high.
     */
    @ParameterizedTest
    @ValueSource(ints = {2, 32})
    void staysBetweenTwoLimits(int batch) throws InterruptedException {
        long most = 700;
        int rounds = Effort.scaled(50_000);
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter(batch);
        AtomicLong high = new AtomicLong();
        AtomicLong low = new AtomicLong();
        Workers.run("between-", THREADS, number -> {
            java.util.Random random = new java.util.Random(number);
            for (int i = 0; i < rounds; i++) {
                long amount = random.nextInt(200);
                if (random.nextBoolean()) {
                    low.addAndGet(amount);
                    if (counter.tryAdd(amount, most)) {
                        assertThat(high.addAndGet(amount)).isLessThanOrEqualTo(most);
                    } else {
                        low.addAndGet(-amount);
                    }
                } else {
                    high.addAndGet(-amount);
                    if (counter.trySub(amount, 0)) {
                        assertThat(low.addAndGet(-amount)).isNotNegative();
                    } else {
                        high.addAndGet(amount);
                    }
                }
            }
        });
        assertThat(counter.sum()).isEqualTo(high.get()).isEqualTo(low.get()).isBetween(0L, most);
    }

    /** Others fill and use up credits meanwhile, so that what the shared count says is too high by all of them. */
    @Test
    void neverGoesBelowALowerLimit() throws InterruptedException {
        int stock = Effort.scaled(20_000);
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter(16);
        counter.add(stock);
        AtomicInteger successes = new AtomicInteger();
        IntConsumer task = Workers.untilDone(
                4,
                _ -> {
                    for (int i = 0; i < stock; i++) {
                        if (counter.trySub(1, 0)) {
                            successes.incrementAndGet();
                        }
                    }
                },
                () -> {
                    counter.sub(20);
                    counter.add(20);
                });
        Workers.run("stock-", 6, task);
        while (counter.trySub(1, 0)) {
            successes.incrementAndGet();
        }
        assertThat(successes).hasValue(stock);
        assertThat(counter.sum()).isZero();
    }

    /** Collecting the credits interrupts all CPUs, so it must not be what each operation does. */
    @ParameterizedTest
    @ValueSource(longs = {1, 32, 100, 1_000, 1L << 40})
    void operationsAtALimitDoNotCollectTheCreditsEachTime(long amount) {
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter(32);
        long limit = 20 * amount;
        counter.add(limit - amount + 1);
        int collections = 0;
        boolean wasShut = false;
        for (int i = 0; i < 300; i++) {
            switch (i % 3) {
                case 0 -> assertThat(counter.tryAdd(amount, limit)).isFalse();
                case 1 -> counter.sub(amount);
                default -> assertThat(counter.tryAdd(amount, limit)).isTrue();
            }
            boolean shut = counter.handedOut() == Credits.TAKEN;
            collections += shut && !wasShut ? 1 : 0;
            wasShut = shut;
        }
        assertThat(collections).isLessThan(30);
    }

    /** Or every later operation would be one on the shared number. */
    @Test
    void theOperationThatGoesFarFromTheLimitHandsOutCreditsAgain() {
        long far = 1L << 40;
        List<Consumer<PerCpuBoundedCounter>> operations = List.of(
                counter -> counter.add(far),
                counter -> counter.sub(far),
                counter -> assertThat(counter.tryAdd(far, Long.MAX_VALUE)).isTrue(),
                counter -> assertThat(counter.trySub(far, Long.MIN_VALUE)).isTrue());
        for (Consumer<PerCpuBoundedCounter> operation : operations) {
            PerCpuBoundedCounter counter = new PerCpuBoundedCounter();
            assertThat(counter.tryAdd(1, 0)).isFalse();
            counter.increment();
            assertThat(counter.handedOut()).isEqualTo(Credits.TAKEN);
            operation.accept(counter);
            assertThat(counter.handedOut()).isNotEqualTo(Credits.TAKEN);
            assertThat(Math.abs(counter.sum() - 1)).isEqualTo(far);
        }
    }

    /**
     * Others lift the shared count far above the limit and fill credits meanwhile, which are not for those below it.
     */
    @Test
    void neverSpendsWhatWasReservedAboveItsLimit() throws InterruptedException {
        int limit = Effort.scaled(20_000);
        int tries = 5 * limit;
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter(16);
        AtomicInteger successes = new AtomicInteger();
        IntConsumer task = Workers.untilDone(
                4,
                _ -> {
                    for (int i = 0; i < tries; i++) {
                        if (counter.tryAdd(1, limit)) {
                            successes.incrementAndGet();
                        }
                    }
                },
                () -> {
                    counter.add(limit);
                    counter.add(1);
                    counter.sub(limit + 1);
                });
        Workers.run("above-", 6, task);
        assertThat(successes.get()).isLessThanOrEqualTo(limit);
        while (counter.tryAdd(1, limit)) {
            successes.incrementAndGet();
        }
        assertThat(successes).hasValue(limit);
    }

    /** While others add, an estimate is within the bound of something between what was done and what was begun. */
    @Test
    void anEstimateIsWithinItsBound() throws InterruptedException {
        int rounds = Effort.scaled(200_000);
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter();
        AtomicLong begun = new AtomicLong();
        AtomicLong done = new AtomicLong();
        IntConsumer task = Workers.untilDone(
                THREADS,
                _ -> {
                    for (int i = 0; i < rounds; i++) {
                        begun.incrementAndGet();
                        counter.add(1);
                        done.incrementAndGet();
                    }
                },
                () -> {
                    long least = done.get();
                    long estimate = counter.estimate();
                    long sum = counter.sum();
                    int compared = counter.compareValueTo(0);
                    long most = begun.get();
                    assertThat(estimate).isBetween(least - counter.errorBound(), most + counter.errorBound());
                    assertThat(sum).isBetween(least, most);
                    assertThat(compared).isGreaterThanOrEqualTo(least > 0 ? 1 : 0);
                });
        Workers.run("estimate-", THREADS + 1, task);
        assertThat(counter.sum()).isEqualTo((long) THREADS * rounds);
        assertThat(counter.estimate() - counter.sum()).isBetween(-counter.errorBound(), counter.errorBound());
    }

    @Test
    void limitsAndAmountsAtTheEndsOfTheirRange() {
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter();
        assertThat(counter.tryAdd(5, Long.MAX_VALUE)).isTrue();
        assertThat(counter.trySub(0, Long.MAX_VALUE)).isFalse();
        assertThat(counter.trySub(1, Long.MAX_VALUE)).isFalse();
        assertThat(counter.trySub(Long.MAX_VALUE, Long.MAX_VALUE)).isFalse();
        assertThat(counter.trySub(6, 0)).isFalse();
        assertThat(counter.trySub(5, 1)).isFalse();
        assertThat(counter.trySub(0, 5)).isTrue();
        assertThatThrownBy(() -> counter.trySub(-1, 10))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-1");
        assertThat(counter.tryAdd(0, Long.MIN_VALUE)).isFalse();
        assertThat(counter.tryAdd(1, Long.MIN_VALUE)).isFalse();
        assertThat(counter.tryAdd(Long.MAX_VALUE, Long.MIN_VALUE)).isFalse();
        assertThat(counter.tryAdd(Long.MAX_VALUE, Long.MAX_VALUE)).isFalse();
        assertThat(counter.compareValueTo(Long.MAX_VALUE)).isNegative();
        assertThat(counter.compareValueTo(Long.MIN_VALUE)).isPositive();
        assertThat(counter.sum()).isEqualTo(5);
        assertThatThrownBy(() -> counter.add(Long.MAX_VALUE))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining(Long.toString(Long.MAX_VALUE));
        assertThatThrownBy(() -> counter.sub(Long.MAX_VALUE)).isInstanceOf(ArithmeticException.class);
        assertThatThrownBy(() -> counter.add(Long.MIN_VALUE)).isInstanceOf(ArithmeticException.class);
        assertThat(counter.sum()).as("nothing was added").isEqualTo(5);
        assertThatThrownBy(() -> counter.tryAdd(-1, 10))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-1");
    }

    @Test
    void aLimitBeyondTheRangeIsItsEnd() {
        long end = 1L << 62;
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter();
        assertThat(counter.tryAdd(end, Long.MAX_VALUE)).isTrue();
        assertThat(counter.tryAdd(1, Long.MAX_VALUE)).isFalse();
        assertThatThrownBy(() -> counter.sub(Long.MIN_VALUE))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining(Long.toString(Long.MIN_VALUE));
        assertThat(counter.sum()).isEqualTo(end);
        assertThat(counter.trySub(2 * (end - 1), Long.MIN_VALUE)).isTrue();
        assertThat(counter.trySub(2, Long.MIN_VALUE)).isTrue();
        assertThat(counter.trySub(1, Long.MIN_VALUE)).isFalse();
        assertThat(counter.trySub(Long.MAX_VALUE, Long.MIN_VALUE)).isFalse();
        assertThat(counter.sum()).isEqualTo(-end);
    }

    @Test
    void aRefusalNamesTheNumberThatWasAdded() {
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter("quota");
        for (long x : new long[] {1L << 62, -(1L << 62)}) {
            assertThatThrownBy(() -> counter.add(x))
                    .isInstanceOf(ArithmeticException.class)
                    .hasMessageContaining("quota: adding " + x + " to a value near 0 ");
        }
    }

    @Test
    void comesBackFromBothEndsOfTheRange() {
        long end = 1L << 62;
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter(4);
        counter.sub(end - 4);
        // Into the credits, which lie beside the range.
        long lowest = -(end - 4);
        try {
            for (int i = 0; i < 100_000; i++) {
                counter.sub(1);
                lowest--;
            }
        } catch (ArithmeticException atTheEnd) {
            assertThat(counter.sum()).as("nothing was added").isEqualTo(lowest);
        }
        assertThat(lowest).isBetween(-end - 2 * counter.errorBound(), -end + 2 * counter.errorBound());
        assertThat(counter.tryAdd(1, lowest)).isFalse();
        assertThat(counter.tryAdd(1, lowest + 1)).isTrue();
        assertThat(counter.compareValueTo(lowest)).isPositive();
        // From one end to the other, whose distance is 2^63.
        counter.add(end);
        counter.add(end - 8);
        assertThat(counter.sum()).isEqualTo(lowest + 2 * end - 7);
        assertThatThrownBy(() -> counter.add(20 * counter.errorBound())).isInstanceOf(ArithmeticException.class);
        counter.sub(end);
        assertThat(counter.sum()).isEqualTo(lowest + end - 7);
    }

    /** The largest batch fills half of the word that holds a credit on the atomic back end, and its sign bit. */
    @Test
    void theLargestBatch() {
        int batch = 1 << 30;
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter(batch);
        for (int i = 0; i < 8; i++) {
            counter.sub(batch);
            assertThat(counter.sum()).isEqualTo(-(i + 1L) * batch);
            assertThat(counter.estimate())
                    .isBetween(counter.sum() - counter.errorBound(), counter.sum() + counter.errorBound());
        }
        for (int i = 0; i < 16; i++) {
            counter.add(batch);
        }
        assertThat(counter.sum()).isEqualTo(8L * batch);
        assertThat(counter.tryAdd(1, 8L * batch)).isFalse();
        assertThat(counter.tryAdd(1, 8L * batch + 1)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, (1 << 30) + 1})
    void refusesBatches(int batch) {
        assertThatThrownBy(() -> new PerCpuBoundedCounter(batch))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(Integer.toString(batch));
    }

    @Test
    void serializesAtTheEndsOfItsRange() {
        for (long end : new long[] {1L << 62, -(1L << 62)}) {
            PerCpuBoundedCounter counter = new PerCpuBoundedCounter(1);
            counter.add(end - Long.signum(end));
            assertThat(counter.tryAdd(Math.max(0, Long.signum(end)), end)).isEqualTo(end > 0);
            assertThat(counter.trySub(Math.max(0, -Long.signum(end)), end)).isTrue();
            assertThat(counter.sum()).isEqualTo(end);
            PerCpuBoundedCounter copy = Serialization.copy(counter);
            assertThat(copy.sum()).isEqualTo(end);
            assertThatThrownBy(() -> copy.add(10L * Long.signum(end))).isInstanceOf(ArithmeticException.class);
            copy.add(-end);
            assertThat(copy.sum()).isZero();
        }
    }

    @Test
    void serializesAsItsSumAndBatch() {
        PerCpuBoundedCounter counter = new PerCpuBoundedCounter(7);
        counter.add(42);
        PerCpuBoundedCounter copy = Serialization.copy(counter);
        copy.add(1);
        assertThat(copy.sum()).isEqualTo(43);
        assertThat(copy.batch()).isEqualTo(7);
        assertThat(counter.sum()).isEqualTo(42);
        assertThatThrownBy(() -> Serialization.fromFields(PerCpuBoundedCounter.class))
                .isInstanceOf(InvalidObjectException.class);
    }
}

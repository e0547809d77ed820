package dev.percpu.nativecode;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.CpuGuard;
import dev.percpu.ExternPerCpu;
import dev.percpu.PerCpuNumeric;
import dev.percpu.PerCpuRuntime;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Disturbance;
import dev.percpu.testing.Workers;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Nothing is lost while threads of C and of Java update the same variables, and are moved and signalled. */
class SharedExactnessTest {
    private static final String NAME = "exact-worker";

    /** Of each side. */
    private static final int THREADS = 4;

    private static final long UPDATES = 100_000_000;

    /** How many updates one round makes, of which each is of another width. */
    private static final int NUMBERS = 4;

    /** Where the guard costs a compare-and-set, fewer will do. */
    private static final long GUARDED_UPDATES = PerCpuRuntime.backend().equals("rseq") ? UPDATES : UPDATES / 10;

    private static final MemoryLayout PAIR = MemoryLayout.structLayout(JAVA_LONG, JAVA_LONG);

    @Test
    void numbersOfEveryWidth() throws InterruptedException {
        long rounds = UPDATES / NUMBERS / (2 * THREADS);
        Driver driver = Driver.load("exact");
        Numbers numbers = new Numbers(driver);
        Disturbance.Report disturbed = bothSides(
                () -> driver.runThreads(THREADS, rounds, 0, NAME), () -> numbers.addOneToEach(rounds), THREADS);
        assertThat(disturbed.migrations()).isGreaterThan(100);
        numbers.verify(2L * THREADS * rounds);
    }

    @Test
    void aStructOfWhichTheFieldsAgree() throws InterruptedException {
        long rounds = GUARDED_UPDATES / (2 * THREADS);
        Driver driver = Driver.load("exact-pairs");
        ExternPerCpu<MemorySegment> pair = ExternPerCpu.declare(driver.lookup(), "a_pair", PAIR);
        Disturbance.Report disturbed =
                bothSides(() -> driver.runThreads(THREADS, 0, rounds, NAME), () -> countUp(pair, rounds), THREADS);
        assertThat(disturbed.migrations()).isGreaterThan(100);
        assertThat(verify(pair)).isEqualTo(2L * THREADS * rounds);
        assertThat(driver.disagreements(1)).isZero();
    }

    /** Each side also looks at every CPU's pair from afar while the others count. */
    @Test
    void aStructThatIsLookedAtFromOtherCpus() throws InterruptedException {
        long rounds = UPDATES / 1000;
        long looks = 2_000;
        Driver driver = Driver.load("exact-looks");
        ExternPerCpu<MemorySegment> pair = ExternPerCpu.declare(driver.lookup(), "a_pair", PAIR);
        AtomicLong disagreements = new AtomicLong();
        bothSides(
                () -> {
                    driver.runThreads(2, 0, rounds, NAME);
                    disagreements.addAndGet(driver.disagreements(looks));
                },
                () -> {
                    for (int look = 0; look < looks; look++) {
                        pair.forEachCpu((cpu, memory) -> {
                            if (memory.get(JAVA_LONG, 0) != memory.get(JAVA_LONG, 8)) {
                                disagreements.incrementAndGet();
                            }
                        });
                    }
                    countUp(pair, rounds);
                },
                2);
        assertThat(disagreements).hasValue(0);
        assertThat(verify(pair)).isEqualTo(4 * rounds);
    }

    /** C code is at work already when Java declares the variables. */
    @Test
    void variablesThatMoveWhileTheyAreUsed() throws InterruptedException {
        long rounds = UPDATES / 100 / NUMBERS;
        for (int round = 0; round < 5; round++) {
            Driver driver = Driver.load("exact-moved-" + round);
            Numbers[] numbers = new Numbers[1];
            Workers.run(NAME, 2, number -> {
                if (number == 0) {
                    driver.runThreads(THREADS, rounds, rounds / 10, NAME);
                } else {
                    // Somewhere in the middle.
                    while (driver.sumOfLongs() < rounds) {
                        Thread.onSpinWait();
                    }
                    numbers[0] = new Numbers(driver);
                    numbers[0].addOneToEach(rounds);
                }
            });
            numbers[0].verify((THREADS + 1) * rounds);
            assertThat(verify(ExternPerCpu.declare(driver.lookup(), "a_pair", PAIR)))
                    .isEqualTo(THREADS * (rounds / 10));
        }
    }

    private static Disturbance.Report bothSides(Runnable inC, Runnable inJava, int javaThreads)
            throws InterruptedException {
        return Disturbance.during(
                NAME, 1, () -> Workers.run(NAME, javaThreads + 1, number -> (number == 0 ? inC : inJava).run()));
    }

    private static void countUp(ExternPerCpu<MemorySegment> pair, long rounds) {
        for (long i = 0; i < rounds; i++) {
            try (CpuGuard guard = CpuGuard.acquire()) {
                pair.getMut(guard).run(memory -> {
                    memory.set(JAVA_LONG, 0, memory.get(JAVA_LONG, 0) + 1);
                    memory.set(JAVA_LONG, 8, memory.get(JAVA_LONG, 8) + 1);
                });
            }
        }
    }

    private static long verify(ExternPerCpu<MemorySegment> pair) {
        long[] total = new long[1];
        pair.forEachCpu((cpu, memory) -> {
            assertThat(memory.get(JAVA_LONG, 8)).as("both halves on %s", cpu).isEqualTo(memory.get(JAVA_LONG, 0));
            total[0] += memory.get(JAVA_LONG, 0);
        });
        return total[0];
    }

    /** The library's numbers, as Java sees them. */
    private static final class Numbers {
        private final PerCpuNumeric longs;
        private final PerCpuNumeric ints;
        private final PerCpuNumeric shorts;
        private final PerCpuNumeric bytes;

        private Numbers(Driver driver) {
            longs = PerCpuNumeric.declare(driver.lookup(), "a_long", NumericWidth.LONG);
            ints = PerCpuNumeric.declare(driver.lookup(), "an_int", NumericWidth.INT);
            shorts = PerCpuNumeric.declare(driver.lookup(), "a_short", NumericWidth.SHORT);
            bytes = PerCpuNumeric.declare(driver.lookup(), "a_byte", NumericWidth.BYTE);
        }

        private void addOneToEach(long rounds) {
            for (long i = 0; i < rounds; i++) {
                longs.increment();
                ints.add(1);
                shorts.addAndGet(1);
                bytes.sub(-1);
            }
        }

        private void verify(long rounds) {
            assertThat(longs.sum()).as("long").isEqualTo(rounds);
            assertThat(NumericWidth.INT.wrap(ints.sum())).as("int").isEqualTo(NumericWidth.INT.wrap(rounds));
            assertThat(NumericWidth.SHORT.wrap(shorts.sum())).as("short").isEqualTo(NumericWidth.SHORT.wrap(rounds));
            assertThat(NumericWidth.BYTE.wrap(bytes.sum())).as("byte").isEqualTo(NumericWidth.BYTE.wrap(rounds));
        }
    }
}

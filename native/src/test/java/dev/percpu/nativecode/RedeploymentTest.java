package dev.percpu.nativecode;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.CpuGuard;
import dev.percpu.ExternPerCpu;
import dev.percpu.PerCpuNumeric;
import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuId;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Deployment;
import dev.percpu.testing.Garbage;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.MemoryLimit;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/**
 * An application that brings the library along is deployed again and again, and each time declares the variables of the
 * same C library, whose threads go on all the time.
 */
class RedeploymentTest {
    private static final int DEPLOYMENTS = 8;
    private static final int THREADS = 2;
    private static final int NUMBERS = 200_000;
    private static final int PAIRS = 50_000;

    /** Loaded by a class loader of its own, with a copy of the library of its own. */
    static final class Application implements BiFunction<SymbolLookup, Boolean, long[]> {
        private static final MemoryLayout PAIR = MemoryLayout.structLayout(JAVA_LONG, JAVA_LONG);

        Application() {}

        /** Adds 1 to the number and to each field of a pair, and returns the sums; leaves a guard behind if told to. */
        @Override
        @SuppressWarnings("MustBeClosedChecker") // leaving a guard open is what happens
        public long[] apply(SymbolLookup lookup, Boolean leavesGuard) {
            PerCpuNumeric numbers = PerCpuNumeric.declare(lookup, "a_long", NumericWidth.LONG);
            ExternPerCpu<MemorySegment> pair = ExternPerCpu.declare(lookup, "a_pair", PAIR);
            numbers.increment();
            pair.run(memory -> {
                memory.set(JAVA_LONG, 0, memory.get(JAVA_LONG, 0) + 1);
                memory.set(JAVA_LONG, 8, memory.get(JAVA_LONG, 8) + 1);
            });
            long[] sums = {numbers.sum(), 0, 0};
            pair.forEachCpu((cpu, memory) -> {
                sums[1] += memory.get(JAVA_LONG, 0);
                sums[2] += memory.get(JAVA_LONG, 8);
            });
            if (leavesGuard) {
                CpuGuard.acquire(CpuId.of(0));
            }
            return sums;
        }
    }

    static final class Probe {
        private Probe() {}

        public static void main(String[] arguments) throws Exception {
            Driver driver = new Driver(SymbolLookup.libraryLookup(Path.of(arguments[0]), Arena.global()));
            driver.runThreads(THREADS, NUMBERS, PAIRS, "c-first");
            long before = MemoryLimit.ADDRESS_SPACE.size();
            deploy(driver, false);
            for (int i = 1; i < DEPLOYMENTS; i++) {
                Thread working = new Thread(() -> driver.runThreads(THREADS, NUMBERS, PAIRS, "c-meanwhile"));
                working.start();
                deploy(driver, false);
                working.join();
            }
            long[] sums = deploy(driver, true);
            System.out.println("numbers: " + sums[0] + ", " + driver.sumOfLongs());
            System.out.println("pairs: " + sums[1] + ", " + sums[2]);
            Garbage.collectUntil(() -> Deployment.threads() == 0);
            System.out.println(
                    "megabytes for each: " + (MemoryLimit.ADDRESS_SPACE.size() - before) / (1 << 20) / DEPLOYMENTS);
            driver.runThreads(THREADS, NUMBERS, PAIRS, "c-last");
            System.out.println("last: " + driver.sumOfLongs() + ", disagreements: " + driver.disagreements(1));
        }

        private static long[] deploy(Driver driver, boolean leavesGuard) throws Exception {
            var application = (BiFunction<?, ?, ?>) Deployment.make(Deployment.loader(), Application.class);
            return (long[]) BiFunction.class
                    .getMethod("apply", Object.class, Object.class)
                    .invoke(application, driver.lookup(), leavesGuard);
        }
    }

    @Test
    void theVariablesOfTheSameLibraryAreDeclaredAgain() {
        Path library = Compiler.GCC.library("redeployed", "library.c", "-O2");
        Jvm.Result result = new Jvm()
                .with(System.getProperty("java.class.path"))
                .option("-Dpercpu.backend=" + PerCpuRuntime.backend())
                .run(Probe.class, library.toString());
        long rounds = DEPLOYMENTS * (long) THREADS;
        long numbers = rounds * NUMBERS + DEPLOYMENTS + 1;
        long pairs = rounds * PAIRS + DEPLOYMENTS + 1;
        assertThat(result.output())
                .contains(
                        "numbers: " + numbers + ", " + numbers + "\n",
                        "pairs: " + pairs + ", " + pairs + "\n",
                        "last: " + (numbers + (long) THREADS * NUMBERS) + ", disagreements: 0\n")
                // An area takes thousands.
                .containsPattern("megabytes for each: -?[0-9]{1,3}\n");
        assertThat(result.status()).isZero();
    }
}

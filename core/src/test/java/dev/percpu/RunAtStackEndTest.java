package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.LogCapture;
import dev.percpu.testing.StackEnd;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * {@code run}, {@code with} and the update of a guarded number acquire a guard that nobody else has. If the stack has
 * no room for its {@code close()}, nobody could close it later.
 */
class RunAtStackEndTest {
    /** A JIT compiler does this at times: the code that acquires is compiled, and the code that closes is not yet. */
    @Test
    void aGuardThatCannotBeClosedIsNotHeldForever() {
        assertThat(Jvm.asHere()
                        .option("-XX:CompileCommand=quiet")
                        .option("-XX:CompileCommand=exclude,dev.percpu.CpuGuard::close")
                        .outputOf(AtStackEnd.class))
                .contains(
                        "run: failed, holds no guard\n",
                        "with: failed, holds no guard\n",
                        "addAndGet: failed, holds no guard\n");
    }

    /** As {@code try} does. */
    @Test
    void whatTheActionThrewIsNotLostIfTheGuardCannotBeClosed() throws InterruptedException {
        DynamicPerCpu<NumericCell> cells = DynamicPerCpu.createNumeric(NumericWidth.LONG, 0);
        IllegalArgumentException own = new IllegalArgumentException("the action's own");
        List<Throwable> thrown = new ArrayList<>();
        // In a thread that ends, as the guard that the action leaves open stays open.
        Thread leaving = Thread.ofPlatform().start(() -> {
            try {
                cells.run(_ -> {
                    CpuGuard _ = leftOpen();
                    throw own;
                });
            } catch (RuntimeException e) {
                thrown.add(e);
            }
        });
        leaving.join();
        takeOverAll();
        assertThat(thrown).containsExactly(own);
        assertThat(own.getSuppressed()).hasSize(1);
        assertThat(own.getSuppressed()[0]).hasMessageContaining("close them in reverse order");
    }

    /** Or whoever comes next in this JVM would find the guard of a thread that has ended. */
    @SuppressWarnings("MustBeClosedChecker") // it is closed
    private static void takeOverAll() throws InterruptedException {
        try (LogCapture log = new LogCapture()) {
            for (CpuId cpu : CpuMask.possible()) {
                CpuGuard.acquire(cpu).close();
                assertThat(CpuGuard.owner(cpu)).isEmpty();
            }
            log.awaitMessage("taken over");
        }
    }

    @SuppressWarnings("MustBeClosedChecker")
    private static CpuGuard leftOpen() {
        return CpuGuard.acquire();
    }

    /** Runs in a JVM of its own. */
    static final class AtStackEnd {
        private static final DynamicPerCpu<NumericCell> CELLS = DynamicPerCpu.createNumeric(NumericWidth.LONG, 0);
        private static final int WARM_UPS = 50_000;

        private AtStackEnd() {}

        public static void main(String[] arguments) {
            tell("run", cells -> cells.run(cell -> cell.add(1)));
            tell("with", cells -> {
                long _ = cells.with(cell -> cell.addAndGet(1));
            });
            PerCpuNumeric number = PerCpuNumeric.of(CELLS);
            tell("addAndGet", _ -> {
                long _ = number.addAndGet(1);
            });
        }

        private static void tell(String what, Consumer<PerCpu<NumericCell>> use) {
            for (int i = 0; i < WARM_UPS; i++) {
                use.accept(CELLS);
            }
            List<Throwable> failures = StackEnd.failures(() -> {
                use.accept(CELLS);
                return true;
            });
            if (!failures.stream().allMatch(StackOverflowError.class::isInstance)) {
                throw new AssertionError(failures);
            }
            try (CpuGuard _ = CpuGuard.acquire()) {
                // A guard that was left behind ends at its thread's next acquisition, if it does not count as open.
            }
            System.out.println(what + ": " + (failures.isEmpty() ? "passed" : "failed") + ", holds "
                    + (CpuGuard.isHeldByCurrentThread() ? "a" : "no") + " guard");
        }
    }
}

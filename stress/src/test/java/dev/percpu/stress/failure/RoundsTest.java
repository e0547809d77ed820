package dev.percpu.stress.failure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What the rounds make of operations that are broken. */
class RoundsTest {
    /** The second half of the operation fails. */
    private static final Way HALFWAY = new Way() {
        @Override
        public String name() {
            return "halfway";
        }

        @Override
        public List<String> jvmOptions() {
            return List.of();
        }

        @Override
        public void run(Rounds rounds) throws Exception {
            rounds.undisturbed();
            boolean _ = rounds.once(trial -> Rounds.thrownBy(trial::act));
            rounds.undisturbed();
        }

        @Override
        public boolean explains(Throwable thrown) {
            return thrown instanceof OutOfMemoryError;
        }
    };

    /** Adds 2 in two steps, and fails in between each second time. */
    private static class Halves extends Trial {
        private final RuntimeException otherError = new IllegalStateException("something else");
        private final boolean undoes;
        private final boolean explains;
        private int uses;
        private int total;
        private int before;

        Halves(boolean undoes, boolean explains) {
            this.undoes = undoes;
            this.explains = explains;
        }

        @Override
        void act() {
            uses++;
            total++;
            if (uses % 2 == 0) {
                total -= undoes ? 1 : 0;
                if (explains) {
                    throw new OutOfMemoryError("no room for the second half");
                }
                throw otherError;
            }
            total++;
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            int was = before;
            before = total;
            return beforeOrAfter("total", was, was + 2L, total, thrown);
        }
    }

    private static Rounds.Result run(Callable<Trial> factory) throws Exception {
        Rounds rounds = new Rounds(
                new Operation("broken", List.of(), factory), HALFWAY, new OtherThread(), new AtomicInteger());
        HALFWAY.run(rounds);
        return rounds.result();
    }

    @Test
    void whatIsUndoneIsNoViolation() throws Exception {
        Rounds.Result result = run(() -> new Halves(true, true));
        assertThat(result.violations()).isEmpty();
        assertThat(result.failed()).isEqualTo(1);
        assertThat(result.happened()).isZero();
    }

    @Test
    void whatIsDoneByHalfIsTold() throws Exception {
        assertThat(run(() -> new Halves(false, true)).violations())
                .containsExactly("total: 3 instead of 4, or 2 if it did not happen");
    }

    @Test
    void anotherErrorThanTheOneThatWasCausedIsTold() throws Exception {
        assertThat(run(() -> new Halves(true, false)).violations())
                .containsExactly("it threw something else than what had failed:"
                        + " java.lang.IllegalStateException: something else");
    }

    @Test
    void anOperationThatFailsUpToTheEndIsTold() throws Exception {
        Rounds rounds = new Rounds(
                new Operation("too large", List.of(), () -> new Halves(true, true)),
                HALFWAY,
                new OtherThread(),
                new AtomicInteger());
        HALFWAY.run(rounds);
        rounds.neverPassed("8 bytes");
        assertThat(rounds.result().violations())
                .containsExactly("it still fails with 8 bytes, so not each of its steps was made to fail");
    }
}

package dev.percpu.benchmarks.programs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.benchmarks.programs.Timing.Phase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A run measures once the JIT compiler rests. */
class TimingTest {
    private static final Duration LONGEST = Duration.ofSeconds(5);

    /** What each piece of the warm-up saw, where the compiler's time is such at its beginning and after each piece. */
    private static List<Phase> pieces(Long... compilationMillis) throws InterruptedException {
        Iterator<Long> times = List.of(compilationMillis).iterator();
        Timing timing = new Timing(LONGEST, Duration.ZERO, times::next);
        List<Phase> seen = new ArrayList<>();
        timing.warmUp(_ -> seen.add(timing.phase()));
        assertThat(times).isExhausted();
        return seen;
    }

    @Test
    void theWarmUpLastsUntilTheCompilerHasRestedForTwoPieces() throws InterruptedException {
        assertThat(pieces(0L, 900L, 905L, 1_500L, 1_520L, 1_525L)).hasSize(5).containsOnly(Phase.WARM_UP);
        assertThat(pieces(0L, 900L, 905L, 910L)).hasSize(3);
        assertThat(pieces(0L, 5L, 10L)).hasSize(2);
    }

    @Test
    void theWarmUpEndsThoughTheCompilerStillWorks() throws InterruptedException {
        assertThat(pieces(0L, 500L, 1_000L, 1_500L, 2_000L, 2_500L)).hasSize(5);
    }

    @Test
    void aRunIsOverOnceItHasMeasured() throws InterruptedException {
        Timing timing = new Timing(Duration.ZERO, Duration.ofMillis(1));
        assertThat(timing.phase()).isEqualTo(Phase.WARM_UP);

        assertThat(timing.pass()).isPositive();

        assertThat(timing.phase()).isEqualTo(Phase.OVER);
    }

    /** Otherwise the threads of the program would never end. */
    @Test
    void aRunThatIsInterruptedIsOver() {
        Timing timing = new Timing(Duration.ZERO, Duration.ofDays(1));

        Thread.currentThread().interrupt();
        assertThatThrownBy(timing::pass).isInstanceOf(InterruptedException.class);

        assertThat(timing.phase()).isEqualTo(Phase.OVER);
    }
}

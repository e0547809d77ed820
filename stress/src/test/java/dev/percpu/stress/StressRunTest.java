package dev.percpu.stress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.stress.subject.Subject;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class StressRunTest {
    private static final class Failing implements Subject {
        @Override
        public int use(RandomGenerator random) {
            throw new AssertionError("two owners");
        }

        @Override
        public void verify() {}
    }

    @Test
    void aRunThatFailedReportsAllThatWasDoneUntilThen() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        List<Subject.Kind> kinds = List.of(new Subject.Kind("broken", _ -> new Failing()));
        StressRun run = new StressRun(
                new StressOptions(60, 2, 7, kinds, false),
                Delays.install(1),
                new PrintStream(out, true, StandardCharsets.UTF_8));

        assertThatThrownBy(run::run).isInstanceOf(AssertionError.class).hasMessage("broken: two owners");
        run.report();

        assertThat(out.toString(StandardCharsets.UTF_8))
                .containsPattern("\nsignals +\\d")
                .containsPattern("\nrestarts by membarrier +\\d")
                .containsPattern("\ncollections +\\d")
                .containsPattern("\nstack dumps at safepoints +\\d")
                .containsPattern("\nthreads +[1-9]");
    }
}

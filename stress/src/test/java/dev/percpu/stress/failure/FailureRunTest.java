package dev.percpu.stress.failure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class FailureRunTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private boolean run(List<String> ways, List<String> only) throws Exception {
        FailureRun run = new FailureRun(
                "rseq", ways, only, FailureRun.Extent.SOME_STEPS, new PrintStream(out, true, StandardCharsets.UTF_8));
        boolean passed = run.run();
        run.report();
        return passed;
    }

    private String output() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void noRefusalAndNoInterruptDoesDamage() throws Exception {
        assertThat(run(List.of("membarrier", "threads", "interrupt"), List.of()))
                .as(output())
                .isTrue();
        assertThat(output())
                .containsPattern("membarrier +[1-9][0-9,]* +[1-9]")
                .containsPattern("threads +[1-9][0-9,]* +[1-9]")
                .containsPattern("interrupt +[1-9][0-9,]* +[1-9]");
    }

    @Test
    void noStackOverflowDoesDamage() throws Exception {
        assertThat(run(List.of("stack/interpreter"), List.of())).as(output()).isTrue();
        assertThat(output()).containsPattern("stack/interpreter +[1-9][0-9,]* +[1-9]");
    }

    @Test
    void noFullHeapDoesDamage() throws Exception {
        assertThat(run(
                        List.of("heap"),
                        List.of("pool acquire", "variable close", "variable createWith", "variable share", "ref kill")))
                .as(output())
                .isTrue();
        assertThat(output()).containsPattern("heap +[1-9][0-9,]* +[1-9]");
    }
}

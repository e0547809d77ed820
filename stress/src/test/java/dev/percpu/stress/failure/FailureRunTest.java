package dev.percpu.stress.failure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class FailureRunTest {
    /** Operations of many steps, where each of them is not affordable in every build. */
    private static final List<String> SOME = List.of(
            "bounded counter tryAdd near",
            "summary summaryThenReset",
            "make histogram",
            "make event",
            "guard acquire, after",
            "pool acquire",
            "pool discard",
            "write lock lock, waiting",
            "read lock lock, waiting",
            "condition await",
            "ref kill",
            "variable close",
            "variable createWith",
            "variable share");

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private boolean run(String backend, List<String> ways, List<String> only) throws Exception {
        FailureRun run = new FailureRun(
                backend, ways, only, FailureRun.Extent.SOME_STEPS, new PrintStream(out, true, StandardCharsets.UTF_8));
        boolean passed = run.run();
        run.report();
        return passed;
    }

    private String output() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void noRefusalAndNoInterruptDoesDamage() throws Exception {
        assertThat(run("rseq", List.of("membarrier", "sched_setaffinity", "threads", "interrupt"), List.of()))
                .as(output())
                .isTrue();
        assertThat(output())
                .containsPattern("membarrier +[1-9][0-9,]* +[1-9]")
                .containsPattern("threads +[1-9][0-9,]* +[1-9]")
                .containsPattern("interrupt +[1-9][0-9,]* +[1-9]");
    }

    @Test
    void noStackOverflowDoesDamage() throws Exception {
        assertThat(run("rseq", List.of("stack/interpreter"), List.of()))
                .as(output())
                .isTrue();
        assertThat(output()).containsPattern("stack/interpreter +[1-9][0-9,]* +[1-9]");
    }

    @Test
    void noStackOverflowOfCompiledCodeDoesDamage() throws Exception {
        assertThat(run("rseq", List.of("stack/C1", "stack/C2"), SOME))
                .as(output())
                .isTrue();
        assertThat(output())
                .containsPattern("stack/C1 +[1-9][0-9,]* +[1-9]")
                .containsPattern("stack/C2 +[1-9][0-9,]* +[1-9]");
    }

    @Test
    void noFullHeapDoesDamage() throws Exception {
        assertThat(run("rseq", List.of("heap"), SOME)).as(output()).isTrue();
        assertThat(output()).containsPattern("heap +[1-9][0-9,]* +[1-9]");
    }

    @Test
    void nothingDoesDamageWithAtomicInstructions() throws Exception {
        assertThat(run("atomic", List.of("stack/interpreter", "threads", "interrupt"), SOME))
                .as(output())
                .isTrue();
        assertThat(output())
                .containsPattern("stack/interpreter +[1-9][0-9,]* +[1-9]")
                .containsPattern("interrupt +[1-9][0-9,]* +[1-9]");
    }
}

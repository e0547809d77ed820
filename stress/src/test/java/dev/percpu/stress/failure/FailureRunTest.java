package dev.percpu.stress.failure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Short runs, two at a time, as most of each is a thread that waits for another one. With the ways that take long, a
 * build tries a share of the operations. The shares take turns by the day, so in {@link #SHARES} days each operation
 * meets each way.
 */
@Execution(ExecutionMode.CONCURRENT)
class FailureRunTest {
    private static final int SHARES = 16;

    /** Which share; another one for a failure that is to be repeated. */
    private final long share =
            Long.getLong("percpu.failures.share", LocalDate.now(ZoneOffset.UTC).toEpochDay());

    /** Where all operations are not affordable in every build. */
    private List<String> someOperations() {
        List<String> all = FailureRun.operationNames();
        return IntStream.range(0, all.size())
                .filter(index -> index % SHARES == Math.floorMod(share, SHARES))
                .mapToObj(all::get)
                .toList();
    }

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private boolean run(String backend, List<String> ways, List<String> only) throws Exception {
        FailureRun run = new FailureRun(
                backend, ways, only, FailureRun.Extent.SOME_STEPS, new PrintStream(out, true, StandardCharsets.UTF_8));
        boolean passed = run.run();
        run.report();
        return passed;
    }

    private String output() {
        return "share " + share + "\n" + out.toString(StandardCharsets.UTF_8);
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
        assertThat(run("rseq", List.of("stack/C1", "stack/C2"), someOperations()))
                .as(output())
                .isTrue();
        assertThat(output())
                .containsPattern("stack/C1 +[1-9][0-9,]* +[1-9]")
                .containsPattern("stack/C2 +[1-9][0-9,]* +[1-9]");
    }

    @Test
    void noFullHeapDoesDamage() throws Exception {
        assertThat(run("rseq", List.of("heap"), someOperations())).as(output()).isTrue();
        assertThat(output()).containsPattern("heap +[1-9][0-9,]* +[1-9]");
    }

    @Test
    void nothingDoesDamageWithAtomicInstructions() throws Exception {
        assertThat(run("atomic", List.of("stack/interpreter", "threads", "interrupt"), someOperations()))
                .as(output())
                .isTrue();
        assertThat(output())
                .containsPattern("stack/interpreter +[1-9][0-9,]* +[1-9]")
                .containsPattern("interrupt +[1-9][0-9,]* +[1-9]");
    }
}

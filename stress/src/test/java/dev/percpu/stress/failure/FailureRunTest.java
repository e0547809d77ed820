package dev.percpu.stress.failure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Short runs, two at a time, as most of each is a thread that waits for another one. A build tries a sixth of the
 * operations, and with the ways that take long a smaller share. The shares take turns by the day, so in {@link #SHARES}
 * days each operation meets each way.
 */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class FailureRunTest {
    private static final int SIXTHS = 6;
    private static final int SHARES = 40;

    /** One of the few that start a thread and bind it, so that there is something to refuse. */
    private static final String BINDS_THREADS = "onEachCpu";

    /** Which share; another one for a failure that is to be repeated. */
    private final long share =
            Long.getLong("percpu.failures.share", LocalDate.now(ZoneOffset.UTC).toEpochDay());

    private Set<String> shareOf(int shares) {
        List<String> all = FailureRun.operationNames();
        return IntStream.range(0, all.size())
                .filter(index -> index % shares == Math.floorMod(share, shares))
                .mapToObj(all::get)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private boolean run(String backend, List<String> ways, Set<String> only) throws Exception {
        return run(backend, ways, only, FailureRun.Extent.SOME_STEPS);
    }

    private boolean run(String backend, List<String> ways, Set<String> only, FailureRun.Extent extent)
            throws Exception {
        FailureRun run = new FailureRun(
                backend, ways, only::contains, extent, new PrintStream(out, true, StandardCharsets.UTF_8));
        boolean passed = run.run();
        run.report();
        return passed;
    }

    private String output() {
        return "share " + share + "\n" + out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void noRefusalAndNoInterruptDoesDamage() throws Exception {
        Set<String> operations = shareOf(SIXTHS);
        operations.add(BINDS_THREADS);
        assertThat(run("rseq", List.of("membarrier", "sched_setaffinity", "threads", "interrupt"), operations))
                .as(output())
                .isTrue();
        assertThat(output())
                .containsPattern("membarrier +[1-9][0-9,]* +[1-9]")
                .containsPattern("sched_setaffinity +[1-9][0-9,]* +[1-9]")
                .containsPattern("threads +[1-9][0-9,]* +[1-9]")
                .containsPattern("interrupt +[1-9][0-9,]* +[1-9]");
    }

    @Test
    void noStackOverflowDoesDamage() throws Exception {
        assertThat(run("rseq", List.of("stack/interpreter"), shareOf(SIXTHS)))
                .as(output())
                .isTrue();
        assertThat(output()).containsPattern("stack/interpreter +[1-9][0-9,]* +[1-9]");
    }

    @Test
    void noStackOverflowOfCompiledCodeDoesDamage() throws Exception {
        assertThat(run("rseq", List.of("stack/C1", "stack/C2"), shareOf(SHARES)))
                .as(output())
                .isTrue();
        assertThat(output())
                .containsPattern("stack/C1 +[1-9][0-9,]* +[1-9]")
                .containsPattern("stack/C2 +[1-9][0-9,]* +[1-9]");
    }

    /** Once it left the listing unreadable, at a few depths only. */
    @Test
    void noStackOverflowInACloseSpoilsTheListing() throws Exception {
        assertThat(run("rseq", List.of("stack/C1"), Set.of("number close"), FailureRun.Extent.ALL_STEPS))
                .as(output())
                .isTrue();
        assertThat(output()).containsPattern("stack/C1 +[1-9][0-9,]* +[1-9]");
    }

    @Test
    void noFullHeapDoesDamage() throws Exception {
        assertThat(run("rseq", List.of("heap"), shareOf(SHARES))).as(output()).isTrue();
        assertThat(output()).containsPattern("heap +[1-9][0-9,]* +[1-9]");
    }

    /** The first close in a process; with all operations it would take minutes. */
    @Test
    void noFailedFirstUseDoesLastingDamage() throws Exception {
        assertThat(run("rseq", List.of("first use/heap/0", "first use/stack/0"), Set.of("variable close")))
                .as(output())
                .isTrue();
        assertThat(output())
                .containsPattern("first use/heap/0 +[1-9][0-9,]* +[1-9]")
                .containsPattern("first use/stack/0 +[1-9][0-9,]* +[1-9]");
    }

    @Test
    void nothingDoesDamageWithAtomicInstructions() throws Exception {
        assertThat(run("atomic", List.of("stack/interpreter", "threads", "interrupt"), shareOf(SHARES)))
                .as(output())
                .isTrue();
        assertThat(output())
                .containsPattern("stack/interpreter +[1-9][0-9,]* +[1-9]")
                .containsPattern("interrupt +[1-9][0-9,]* +[1-9]");
    }
}

package dev.percpu.stress.failure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class FailureReportTest {
    @Test
    void isTheSameInEachCountry() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        FailureRun run = new FailureRun(
                "rseq",
                List.of("no such way"),
                _ -> false,
                FailureRun.Extent.SOME_STEPS,
                new PrintStream(out, true, StandardCharsets.UTF_8));
        Locale before = Locale.getDefault(Locale.Category.FORMAT);
        Locale.setDefault(Locale.Category.FORMAT, Locale.GERMANY);
        try {
            run.report();
        } finally {
            Locale.setDefault(Locale.Category.FORMAT, before);
        }
        assertThat(out.toString(StandardCharsets.UTF_8))
                .startsWith("Back end rseq, 0 operations, 0 ways to fail, 0.0 s\n");
    }

    @Test
    void noNameHasWhatMeansSomethingInQuotes() {
        assertThat(Stream.of(FailureRun.wayNames(), FailureRun.operationNames()).flatMap(List::stream))
                .isNotEmpty()
                .noneMatch(name -> name.matches(".*[\"$`\\\\!].*"));
    }

    /** A JVM with a back end that does not exist fails at once. */
    @Test
    void theCommandThatRepeatsAFailureQuotesWhatTheShellWouldSplit() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        FailureRun run = new FailureRun(
                "none",
                List.of("first use/heap/0"),
                "cell borrow's end"::equals,
                FailureRun.Extent.SOME_STEPS,
                new PrintStream(out, true, StandardCharsets.UTF_8));
        assertThat(run.run()).isFalse();
        run.report();
        assertThat(out.toString(StandardCharsets.UTF_8))
                .endsWith("\nAgain, for example: ./percpu stress --failures --backend none"
                        + " --ways \"first use/heap/0\" --only \"cell borrow's end\"\n");
    }
}

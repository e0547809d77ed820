package dev.percpu.stress.failure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
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
}

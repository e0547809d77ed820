package dev.percpu.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.cli.output.Console;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class ProgressTest {
    private final StringWriter err = new StringWriter();
    private final Progress onTerminal =
            new Progress(new Console(new PrintWriter(new StringWriter()), new PrintWriter(err), false, true));

    @Test
    void aTerminalHasALineThatIsClearedAtTheEnd() {
        String line = "\rcounting: 1 of 3 MB";
        try (Progress.Phase phase = onTerminal.begin("counting", 3_000_000)) {
            while (err.toString().isEmpty()) {
                phase.reached(1_999_999);
            }
            assertThat(err).hasToString(line);
        }
        assertThat(err).hasToString(line + "\r" + " ".repeat(line.length() - 1) + "\r");
    }

    @Test
    void whereNothingWasToldNothingIsCleared() {
        onTerminal.begin("counting", 3_000_000).close();

        assertThat(err).hasToString("");
    }
}

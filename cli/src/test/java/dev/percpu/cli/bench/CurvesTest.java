package dev.percpu.cli.bench;

import static dev.percpu.cli.bench.Samples.RUN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import dev.percpu.cli.CliException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CurvesTest {
    private static final Run LATER =
            new Run(RUN.processor(), 2, RUN.kernel(), RUN.jdk(), "2026-12-24", "1234567", RUN.backend(), RUN.command());

    @TempDir
    Path directory;

    private static Curves curves(Run run, String... lines) {
        return Curves.parse(List.of(lines), new JsonArray(), run);
    }

    @Test
    void whatIsKeptKeepsItsOwnDayAndIsReplacedByWhatIsNewer() {
        curves(RUN, "Memory\tbytes\tcounters\tOURS\tmine\t1=8", "Memory\tbytes\tcounters\tPEER\ttheirs\t1=16")
                .keep(directory);
        curves(LATER, "Memory\tbytes\tcounters\tOURS\tmine\t1=9\t2=10").keep(directory);

        assertThat(Curves.read(directory).charts())
                .singleElement()
                .asString()
                .contains("mine, values={1=9.0, 2=10.0}", "theirs, values={1=16.0}", RUN.date(), LATER.date());
    }

    @Test
    void aTableHasAColumnForEachPoint() {
        curves(
                        RUN,
                        "Memory\tbytes\tcounters\tOURS\tmine\t1=8\t1,000=120",
                        "Memory\tbytes\tcounters\tPEER\ttheirs\t1=16")
                .keep(directory);

        assertThat(Curves.read(directory).table("Memory")).isEqualTo("""
                | AMD Zen 5, bytes; counters: | 1 | 1,000 |
                |---|---|---|
                | **mine** | **8.00** | **120** |
                | theirs | 16.0 | – |
                """);
    }

    @Test
    void aChartThatIsNotKeptIsAnError() {
        assertThatThrownBy(() -> Curves.read(directory).table("Memories"))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("\"Memories\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Memory\tbytes", "Memory\tbytes\tcounters\tOURS\tmine\t1", "a\tb\tc\tTHEIRS\te\t1=1"})
    void aLineThatIsNoCurveIsRefused(String line) {
        assertThatThrownBy(() -> curves(RUN, line))
                .isInstanceOf(CliException.class)
                .hasMessage("this is no curve: " + line);
    }

    @Test
    void aFileThatHoldsSomethingElseIsAnError() throws Exception {
        Files.writeString(directory.resolve("curves.jsonl"), "[]\n");

        assertThatThrownBy(() -> Curves.read(directory)).isInstanceOf(CliException.class);
    }
}

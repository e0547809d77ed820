package dev.percpu.cli.bench;

import static dev.percpu.cli.bench.Samples.RUN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cli.output.CliException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("once")
class CurvesTest {
    private static final Run LATER =
            new Run(RUN.processor(), 2, RUN.kernel(), RUN.jdk(), "2026-12-24", "1234567", RUN.backend(), RUN.command());

    @TempDir
    Path directory;

    private static Curves curves(Run run, String... lines) {
        return Curves.parse(List.of(lines), run);
    }

    @Test
    void aChartThatIsMeasuredAgainIsReplacedAndOthersKeepTheirOwnDay() {
        curves(
                        RUN,
                        "Memory\tbytes\tcounters\tOURS\tmine\t1=8",
                        "Memory\tbytes\tcounters\tPEER\tformer name\t1=16",
                        "Start-up\tms\tuse\tPEER\ttheirs\t1=16,15,17")
                .keep(directory);
        curves(LATER, "Memory\tbytes\tcounters\tOURS\tmine\t1=9\t2=10").keep(directory);

        assertThat(Curves.read(directory).charts()).hasSize(2);
        assertThat(Curves.read(directory).charts().toString())
                .contains("mine, values={1=Value[median=9.0,", "2=Value[median=10.0,", RUN.date(), LATER.date())
                .contains("theirs, values={1=Value[median=16.0, least=15.0, greatest=17.0]}")
                .doesNotContain("former name");
    }

    @Test
    void aTableHasAColumnForEachPoint() {
        curves(
                        RUN,
                        "Memory\tbytes\tcounters\tOURS\tmine\t1=8\t1,000=120",
                        "Memory\tbytes\tcounters\tPEER\ttheirs\t1=16,14,17")
                .keep(directory);

        assertThat(Curves.read(directory).table("Memory")).isEqualTo("""
                | AMD Zen 5, bytes; counters: | 1 | 1,000 |
                |---|---|---|
                | **mine** | **8.00** | **120** |
                | theirs | 16.0 | – |

                *Measured 2026-11-25, commit abcdef0.*
                """);
    }

    @Test
    void theColumnsOfAProgramHaveTheirOwnUnits() {
        curves(RUN, "server\t\tpart\tFLOOR\tno metrics\tin a second=30,28,31\t99%, us=7,2,11")
                .keep(directory);

        assertThat(Curves.read(directory).table("server")).isEqualTo("""
                | AMD Zen 5 | in a second | 99%, us |
                |---|---|---|
                | no metrics (floor) | 30.0 | 2.00–11.0 |

                *Measured 2026-11-25, commit abcdef0.*
                """);
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

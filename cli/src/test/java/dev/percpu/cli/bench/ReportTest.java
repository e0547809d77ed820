package dev.percpu.cli.bench;

import static dev.percpu.cli.bench.Samples.entry;
import static dev.percpu.cli.bench.Samples.results;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cli.output.CliException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("once")
class ReportTest {
    private static List<String> table(String... entries) {
        StringWriter text = new StringWriter();
        new Report(results(entries)).print(new PrintWriter(text));
        return text.toString()
                .lines()
                .takeWhile(line -> !line.startsWith("ns/op:"))
                .toList();
    }

    @Test
    void oursIsSetBesideTheBestPeerAndTheFloors() {
        assertThat(table(
                        entry("AddBenchmark.longAdder", 1, 10.9),
                        entry("AddBenchmark.perCpuAdd", 1, 3.1, 3.2, 3.4),
                        entry("AddBenchmark.emptyCall", 1, 2.5),
                        entry("AddBenchmark.sequence", 1, 2.0),
                        entry("AddBenchmark.striped", 1, 8.0),
                        entry("AddBenchmark.perCpuAdd", 2, 4.0),
                        entry("AddBenchmark.longAdder", 2, 12.0)))
                .containsExactly(
                        "AddBenchmark  threads  ns/op  spread  B/op        best peer                         to floor",
                        "  sequence          1   2.00      0%  0.00            floor",
                        "  emptyCall         1   2.50      0%  0.00            floor",
                        "  perCpuAdd         1   3.20      9%  0.00    2.50x striped  1.60x sequence, 1.28x emptyCall",
                        "  striped           1   8.00      0%  0.00",
                        "  longAdder         1  10.90      0%  0.00",
                        "  perCpuAdd         2   4.00      0%  0.00  3.00x longAdder",
                        "  longAdder         2  12.00      0%  0.00",
                        "");
    }

    @Test
    void aRatioOfMeasurementsThatLieTooFarApartIsNotTold() {
        assertThat(table(
                        entry("AddBenchmark.longAdder", 1, 8.0, 10.0, 14.0),
                        entry("AddBenchmark.perCpuAdd", 1, 4.0, 5.0, 5.0)))
                .contains("  perCpuAdd         1   5.00     20%  0.00  unclear (1.60x to 3.50x) longAdder");
    }

    /** Its median is that of two states, and the second one may not be the last. */
    @Test
    void aTrendWithinMostForksIsTold() {
        String falling = entry("AddBenchmark.longAdder", 1, 8.0)
                .replace("[8.0]", "[9.0, 8.0, 7.5, 6.0, 6.5], [9.0, 9.5, 7.5, 6.0, 6.5], [6.0, 6.5, 6.2, 6.3, 6.4]");

        assertThat(table(falling, entry("AddBenchmark.perCpuAdd", 1, 5.0)))
                .contains("  longAdder         1   7.50  16%, trend  0.00");
        assertThat(table(falling.replace("[9.0, 8.0", "[6.0, 8.0"), entry("AddBenchmark.perCpuAdd", 1, 5.0)))
                .noneMatch(line -> line.contains("trend"));
    }

    @Test
    void whatIsNotSharedIsNoPeer() {
        assertThat(table(
                        entry("AddBenchmark.unshared", 1, 1),
                        entry("AddBenchmark.perCpuAdd", 1, 3),
                        entry("AddBenchmark.longAdder", 1, 9)))
                .containsExactly(
                        "AddBenchmark  threads  ns/op  spread  B/op        best peer  to floor",
                        "  unshared          1   1.00      0%  0.00   not comparable",
                        "  perCpuAdd         1   3.00      0%  0.00  3.00x longAdder",
                        "  longAdder         1   9.00      0%  0.00",
                        "");
    }

    @Test
    void aWriteIsNoPeerOfARead() {
        assertThat(table(
                        entry("Lock.stampedWrite", 1, 6),
                        entry("Lock.stampedRead", 1, 12),
                        entry("Lock.perCpuRead", 1, 4),
                        entry("Lock.perCpuWrite", 1, 12500)))
                .contains("  perCpuRead         1   4.00      0%  0.00  3.00x stampedRead")
                .contains("  perCpuWrite         1  12500.00      0%  0.00  0.00048x stampedWrite");
    }

    @Test
    void oursWithoutAPeerSaysSo() {
        assertThat(table(entry("Pool.perCpuTake", 1, 4)))
                .contains("  perCpuTake        1   4.00      0%  0.00       none");
    }

    @Test
    void classesTasksAndParametersAreComparisonsOfTheirOwn() {
        assertThat(table(
                        entry("Pool.perCpuTake", 1, "\"params\": {\"size\": \"8\"},", 4),
                        entry("Pool.perCpuTake", 1, "\"params\": {\"size\": \"64\"},", 5),
                        entry("Sum.cupboard", 1, 6)))
                .filteredOn(line -> !line.startsWith(" "))
                .extracting(line -> line.replaceAll("  .*", ""))
                .containsExactly("Pool, take {size=64}", "", "Pool, take {size=8}", "", "Sum", "");
    }

    @Test
    void aBenchmarkWithoutARoleIsAnError() {
        assertThatThrownBy(() -> table(entry("AddBenchmark.added", 1, 1)))
                .isInstanceOf(CliException.class)
                .hasMessage("the benchmark dev.percpu.benchmarks.AddBenchmark.added has no role");
    }

    @ParameterizedTest
    @ValueSource(strings = {"A.b", "A.b\tOURS", "A.b\tTHEIRS\t\tlabel", "A.b\tOURS\ttask\tlabel\tmore"})
    void aLineThatIsNoRoleIsRefused(String line) {
        assertThatThrownBy(() -> Roles.parse(List.of(line)))
                .isInstanceOf(CliException.class)
                .hasMessage("this is no role of a benchmark: " + line);
    }

    @Test
    void otherUnitsAreRefused() {
        String other = entry("Sum.cupboard", 1, 1).replace("ns/op", "ops/s");

        assertThatThrownBy(() -> table(other))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ops/s");
    }
}

package dev.percpu.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonParser;
import dev.percpu.cli.CliException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReportTest {
    /** As JMH writes them, without the fields that nobody reads here. */
    private static String entry(String name, int threads, double score, String error, String more) {
        return """
               {"benchmark": "dev.percpu.benchmarks.%s", "mode": "avgt", "threads": %d, %s
                "primaryMetric": {"score": %s, "scoreError": %s, "scoreUnit": "ns/op"},
                "secondaryMetrics": {"gc.alloc.rate.norm": {"score": 1.0E-4, "scoreUnit": "B/op"}}}
               """.formatted(name, threads, more, score, error);
    }

    /** The roles of the benchmarks below, each line as the benchmarks' jar prints it. */
    private static final Roles ROLES = Roles.parse(List.of(
            "dev.percpu.benchmarks.AddBenchmark.perCpuAdd\tOURS\t",
            "dev.percpu.benchmarks.AddBenchmark.longAdder\tPEER\t",
            "dev.percpu.benchmarks.AddBenchmark.striped\tPEER\t",
            "dev.percpu.benchmarks.AddBenchmark.sequence\tFLOOR\t",
            "dev.percpu.benchmarks.AddBenchmark.emptyCall\tFLOOR\t",
            "dev.percpu.benchmarks.AddBenchmark.unshared\tNOT_COMPARABLE\t",
            "dev.percpu.benchmarks.Lock.perCpuRead\tOURS\tread",
            "dev.percpu.benchmarks.Lock.stampedRead\tPEER\tread",
            "dev.percpu.benchmarks.Lock.perCpuWrite\tOURS\twrite",
            "dev.percpu.benchmarks.Lock.stampedWrite\tPEER\twrite",
            "dev.percpu.benchmarks.Pool.perCpuTake\tOURS\ttake",
            "dev.percpu.benchmarks.Sum.cupboard\tPEER\t"));

    private static List<String> table(String... entries) {
        StringWriter text = new StringWriter();
        Report.of(JsonParser.parseString("[" + String.join(",", entries) + "]").getAsJsonArray(), ROLES)
                .print(new PrintWriter(text));
        return text.toString()
                .lines()
                .takeWhile(line -> !line.startsWith("best peer:"))
                .toList();
    }

    @Test
    void oursIsSetBesideTheBestPeerAndTheFloors() {
        assertThat(table(
                        entry("AddBenchmark.longAdder", 1, 10.9, "0.25", ""),
                        entry("AddBenchmark.perCpuAdd", 1, 3.2, "0.1", ""),
                        entry("AddBenchmark.emptyCall", 1, 2.5, "0.1", ""),
                        entry("AddBenchmark.sequence", 1, 2.0, "0.1", ""),
                        entry("AddBenchmark.striped", 1, 8.0, "\"NaN\"", ""),
                        entry("AddBenchmark.perCpuAdd", 2, 4.0, "0.1", ""),
                        entry("AddBenchmark.longAdder", 2, 12.0, "0.1", "")))
                .containsExactly(
                        "AddBenchmark  threads  ns/op     ±  B/op        best peer                         to floor",
                        "  sequence          1   2.00  0.10  0.00            floor",
                        "  emptyCall         1   2.50  0.10  0.00            floor",
                        "  perCpuAdd         1   3.20  0.10  0.00    2.50x striped  1.60x sequence, 1.28x emptyCall",
                        "  striped           1   8.00        0.00",
                        "  longAdder         1  10.90  0.25  0.00",
                        "  perCpuAdd         2   4.00  0.10  0.00  3.00x longAdder",
                        "  longAdder         2  12.00  0.10  0.00",
                        "");
    }

    @Test
    void whatIsNotSharedIsNoPeer() {
        assertThat(table(
                        entry("AddBenchmark.unshared", 1, 1, "0.1", ""),
                        entry("AddBenchmark.perCpuAdd", 1, 3, "0.1", ""),
                        entry("AddBenchmark.longAdder", 1, 9, "0.1", "")))
                .containsExactly(
                        "AddBenchmark  threads  ns/op     ±  B/op        best peer  to floor",
                        "  unshared          1   1.00  0.10  0.00   not comparable",
                        "  perCpuAdd         1   3.00  0.10  0.00  3.00x longAdder",
                        "  longAdder         1   9.00  0.10  0.00",
                        "");
    }

    @Test
    void aWriteIsNoPeerOfARead() {
        assertThat(table(
                        entry("Lock.stampedWrite", 1, 6, "0.1", ""),
                        entry("Lock.stampedRead", 1, 12, "0.1", ""),
                        entry("Lock.perCpuRead", 1, 4, "0.1", ""),
                        entry("Lock.perCpuWrite", 1, 12500, "0.1", "")))
                .containsExactly(
                        "Lock, read     threads  ns/op     ±  B/op          best peer  to floor",
                        "  perCpuRead         1   4.00  0.10  0.00  3.00x stampedRead",
                        "  stampedRead        1  12.00  0.10  0.00",
                        "",
                        "Lock, write     threads     ns/op     ±  B/op              best peer  to floor",
                        "  stampedWrite        1      6.00  0.10  0.00",
                        "  perCpuWrite         1  12500.00  0.10  0.00  0.00048x stampedWrite",
                        "");
    }

    @Test
    void oursWithoutAPeerSaysSo() {
        assertThat(table(entry("Pool.perCpuTake", 1, 4, "1", "")))
                .contains("  perCpuTake        1   4.00  1.00  0.00       none");
    }

    @Test
    void classesTasksAndParametersAreComparisonsOfTheirOwn() {
        assertThat(table(
                        entry("Pool.perCpuTake", 1, 4, "1", "\"params\": {\"size\": \"8\"},"),
                        entry("Pool.perCpuTake", 1, 5, "1", "\"params\": {\"size\": \"64\"},"),
                        entry("Sum.cupboard", 1, 6, "1", "")))
                .filteredOn(line -> !line.startsWith(" "))
                .extracting(line -> line.replaceAll("  .*", ""))
                .containsExactly("Pool, take {size=64}", "", "Pool, take {size=8}", "", "Sum", "");
    }

    @Test
    void aBenchmarkWithoutARoleIsAnError() {
        assertThatThrownBy(() -> table(entry("AddBenchmark.added", 1, 1, "1", "")))
                .isInstanceOf(CliException.class)
                .hasMessage("the benchmark dev.percpu.benchmarks.AddBenchmark.added has no role");
    }

    @ParameterizedTest
    @ValueSource(strings = {"A.b", "A.b\tOURS", "A.b\tTHEIRS\t", "A.b\tOURS\ttask\tmore"})
    void aLineThatIsNoRoleIsRefused(String line) {
        assertThatThrownBy(() -> Roles.parse(List.of(line)))
                .isInstanceOf(CliException.class)
                .hasMessage("this is no role of a benchmark: " + line);
    }

    @Test
    void otherUnitsAreRefused() {
        String other = entry("Sum.cupboard", 1, 1, "1", "").replace("ns/op", "ops/s");

        assertThatThrownBy(() -> table(other))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ops/s");
    }
}

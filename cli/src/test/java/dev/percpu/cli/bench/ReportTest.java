package dev.percpu.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonParser;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTest {
    /** As JMH writes them, without the fields that nobody reads here. */
    private static String entry(String name, int threads, double score, String error, String more) {
        return """
               {"benchmark": "dev.percpu.benchmarks.%s", "mode": "avgt", "threads": %d, %s
                "primaryMetric": {"score": %s, "scoreError": %s, "scoreUnit": "ns/op"},
                "secondaryMetrics": {"gc.alloc.rate.norm": {"score": 1.0E-4, "scoreUnit": "B/op"}}}
               """.formatted(name, threads, more, score, error);
    }

    private static List<String> table(String... entries) {
        StringWriter text = new StringWriter();
        Report.of(JsonParser.parseString("[" + String.join(",", entries) + "]").getAsJsonArray())
                .print(new PrintWriter(text));
        return text.toString()
                .lines()
                .takeWhile(line -> !line.startsWith("best peer:"))
                .toList();
    }

    @Test
    void oursIsSetBesideTheBestPeerAndC() {
        assertThat(table(
                        entry("AddBenchmark.longAdder", 1, 10.9, "0.25", ""),
                        entry("AddBenchmark.perCpuAdd", 1, 3.2, "0.1", ""),
                        entry("AddBenchmark.cSequence", 1, 2.0, "0.1", ""),
                        entry("AddBenchmark.striped", 1, 8.0, "\"NaN\"", ""),
                        entry("AddBenchmark.perCpuAdd", 2, 4.0, "0.1", ""),
                        entry("AddBenchmark.longAdder", 2, 12.0, "0.1", "")))
                .containsExactly(
                        "AddBenchmark  threads  ns/op     ±  B/op        best peer   to C",
                        "  cSequence         1   2.00  0.10  0.00",
                        "  perCpuAdd         1   3.20  0.10  0.00    2.50x striped  1.60x",
                        "  striped           1   8.00        0.00",
                        "  longAdder         1  10.90  0.25  0.00",
                        "  perCpuAdd         2   4.00  0.10  0.00  3.00x longAdder",
                        "  longAdder         2  12.00  0.10  0.00",
                        "");
    }

    @Test
    void classesAndTheirParametersAreComparisonsOfTheirOwn() {
        assertThat(table(
                        entry("Pool.perCpuTake", 1, 4, "1", "\"params\": {\"size\": \"8\"},"),
                        entry("Pool.perCpuTake", 1, 5, "1", "\"params\": {\"size\": \"64\"},"),
                        entry("Sum.cupboard", 1, 6, "1", "")))
                .filteredOn(line -> !line.startsWith(" "))
                .extracting(line -> line.replaceAll("  .*", ""))
                .containsExactly("Pool {size=64}", "", "Pool {size=8}", "", "Sum", "");
    }

    @Test
    void otherUnitsAreRefused() {
        String other = entry("A.b", 1, 1, "1", "").replace("ns/op", "ops/s");

        assertThatThrownBy(() -> table(other))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ops/s");
    }
}

package dev.percpu.cli.bench;

import static dev.percpu.cli.bench.Samples.ROLES;
import static dev.percpu.cli.bench.Samples.RUN;
import static dev.percpu.cli.bench.Samples.entry;
import static dev.percpu.cli.bench.Samples.results;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("once")
class RegressionsTest {
    private static final Path SAVED = Path.of("..", "benchmarks", "results", "amd-zen-5.json");

    @TempDir
    Path directory;

    private final StringWriter text = new StringWriter();

    private static Results of(double... ours) {
        return results(entry("AddBenchmark.longAdder", 1, 9.9, 10.0, 10.1), entry("AddBenchmark.perCpuAdd", 1, ours));
    }

    private int worse(Results saved, Results measured) {
        PrintWriter out = new PrintWriter(text);
        int worse = new Regressions(saved, measured).print(out);
        out.flush();
        return worse;
    }

    @Test
    void aRatioThatTheMeasurementsCannotExplainIsWorse() {
        assertThat(worse(of(2.0), of(2.4, 2.6))).isEqualTo(1);
        assertThat(text.toString())
                .contains(
                        "AddBenchmark, perCpuAdd, 1 thread  5.00x  4.00x    -20%  worse, in 2 JVMs",
                        "0 of 1 ratios agree with the saved ones, which means within 15%.",
                        "The others are marked: worse: 1.",
                        "./percpu bench --quick --forks 5 --check --only '\\.AddBenchmark\\.'");
    }

    @Test
    void whatIsWorseInSeveralJvmsNeedNotBeMeasuredAgain() {
        assertThat(worse(of(2.0), of(2.4, 2.5, 2.6))).isEqualTo(1);
        assertThat(text.toString()).contains("-20%  worse\n").doesNotContain("--forks");
    }

    /** A quick run has platform threads alone, and no more of them than CPUs. */
    @Test
    void theAdviceMeasuresTheThreadsOfWhatIsWorse() {
        Results saved = new Results();
        Results measured = new Results();
        for (boolean virtual : new boolean[] {false, true}) {
            saved = measuredBy(virtual, 2.0).over(saved, ROLES);
            measured = measuredBy(virtual, 4.0).over(measured, ROLES);
        }

        assertThat(worse(saved, measured)).isEqualTo(2);
        assertThat(text.toString())
                .contains(
                        "--check --threads 8 --only '\\.AddBenchmark\\.'",
                        "--check --threads 8 --virtual --only '\\.AddBenchmark\\.'");
    }

    private static Results measuredBy(boolean virtual, double ours) {
        return results(
                RUN, virtual, entry("AddBenchmark.longAdder", 8, 10.0), entry("AddBenchmark.perCpuAdd", 8, ours));
    }

    @Test
    void aPeerThatWasNotMeasuredBeforeMakesNothingWorse() {
        Results measured = results(
                entry("AddBenchmark.longAdder", 1, 9.9, 10.0, 10.1),
                entry("AddBenchmark.striped", 1, 1.0),
                entry("AddBenchmark.perCpuAdd", 1, 2.0));
        assertThat(worse(of(2.0), measured)).isZero();
        assertThat(text.toString()).contains("AddBenchmark, perCpuAdd, 1 thread  5.00x  5.00x     +0%  agrees");
    }

    @Test
    void whatHasNoPeerInCommonIsNotSaved() {
        Results measured = results(entry("AddBenchmark.striped", 1, 1.0), entry("AddBenchmark.perCpuAdd", 1, 2.0));
        assertThat(worse(of(2.0), measured)).isZero();
        assertThat(text.toString()).contains("0.50x").contains("not saved");
    }

    @Test
    void whatIsMarkedComesFirst() {
        Results saved = results(
                entry("AddBenchmark.longAdder", 1, 10.0),
                entry("AddBenchmark.perCpuAdd", 1, 2.0),
                entry("Lock.stampedRead", 1, 10.0),
                entry("Lock.perCpuRead", 1, 5.0));
        Results measured = results(
                entry("AddBenchmark.longAdder", 1, 10.0),
                entry("AddBenchmark.perCpuAdd", 1, 2.0),
                entry("Lock.stampedRead", 1, 10.0),
                entry("Lock.perCpuRead", 1, 10.0));

        assertThat(worse(saved, measured)).isEqualTo(1);
        assertThat(text.toString().lines().skip(1).limit(2))
                .satisfiesExactly(
                        first -> assertThat(first)
                                .startsWith("Lock, read, perCpuRead")
                                .endsWith("worse, in 1 JVM"),
                        second -> assertThat(second)
                                .startsWith("AddBenchmark, perCpuAdd")
                                .endsWith("agrees"));
    }

    /** What is saved in this repository, with the times of some benchmarks so many times as long. */
    private Results slowed(double factor, Predicate<String> which) throws IOException {
        JsonArray entries = JsonParser.parseString(Files.readString(SAVED)).getAsJsonArray();
        for (JsonElement entry : entries) {
            JsonObject json = entry.getAsJsonObject();
            if (which.test(json.getAsJsonObject("percpu").get("role").getAsString())) {
                JsonArray forks = json.getAsJsonObject("primaryMetric").getAsJsonArray("rawData");
                for (JsonElement fork : forks) {
                    fork.getAsJsonArray().asList().replaceAll(time -> new JsonPrimitive(time.getAsDouble() * factor));
                }
            }
        }
        return Results.read(Files.writeString(directory.resolve("slowed.json"), entries.toString()))
                .of(BackEnd.RSEQ);
    }

    /** What stands at the ends of the table's lines. */
    private Set<String> marks() {
        return text.toString()
                .lines()
                .skip(1)
                .takeWhile(line -> !line.isEmpty())
                .map(line -> line.replaceAll(".*  ", ""))
                .collect(Collectors.toSet());
    }

    @Test
    void aWholeRunOnASlowerMachineAgreesWhereverItIsClear() throws IOException {
        assertThat(worse(slowed(1, _ -> true), slowed(1.4, _ -> true))).isZero();
        assertThat(marks()).containsOnly("agrees", "unclear");
    }

    @Test
    void aWholeRunOfWhichAllOfOursTakesTwiceAsLongDiffersWhereverItIsClear() throws IOException {
        assertThat(worse(slowed(1, _ -> true), slowed(2, "OURS"::equals))).isPositive();
        assertThat(marks())
                .contains("worse, in 1 JVM")
                .isSubsetOf("worse, in 1 JVM", "differs, within the spread", "unclear");
    }

    @Test
    void ratiosAgreeIfTheyDifferBy15PercentAtMost() {
        assertThat(worse(of(2.0), of(2.29))).isZero();
        assertThat(worse(of(2.0), of(1.75))).isZero();
        assertThat(text.toString())
                .contains("5.00x  4.37x    -13%  agrees", "5.00x  5.71x    +14%  agrees", "1 of 1 ratios agree");
    }

    @Test
    void aRatioThatDiffersMoreIsMarkedEvenIfTheSpreadExplainsIt() {
        assertThat(worse(of(1.9, 2.0, 2.5), of(2.2, 2.4, 2.6))).isZero();
        assertThat(text.toString()).contains("differs, within the spread", "0 of 1 ratios agree");
    }

    @Test
    void aBetterOneIsToldToo() {
        assertThat(worse(of(3.0), of(2.0))).isZero();
        assertThat(text.toString()).contains("better");
    }

    @Test
    void whatIsTooWideProvesNothing() {
        assertThat(worse(of(2.0), of(1.9, 8.0))).isZero();
        assertThat(worse(of(1.9, 8.0), of(2.0))).isZero();
        assertThat(text.toString())
                .contains("5.00x", "unclear (1.24x to 5.32x)", "The others are marked: unclear: 1.")
                .doesNotContain("worse: 1", "better: 1");
    }

    /** Nothing in the wide range is near what was saved. */
    @Test
    void aRatioThatCollapsedIsWorseHoweverWideItIs() {
        assertThat(worse(of(2.0), of(3.0, 8.0))).isEqualTo(1);
        assertThat(text.toString()).contains("5.00x  unclear (1.24x to 3.37x)", "worse, in 2 JVMs");
    }

    @Test
    void aWideRatioThatGotBetterIsTold() {
        assertThat(worse(of(3.0, 8.0), of(2.0))).isZero();
        assertThat(text.toString()).contains("The others are marked: better: 1.");
    }

    @Test
    void whatWasNeverSavedIsNoRegression() {
        assertThat(worse(results(entry("Sum.cupboard", 1, 1)), of(2.0))).isZero();
        assertThat(text.toString()).contains("not saved");
    }
}

package dev.percpu.cli.bench;

import static dev.percpu.cli.bench.Samples.OTHER;
import static dev.percpu.cli.bench.Samples.RUN;
import static dev.percpu.cli.bench.Samples.entry;
import static dev.percpu.cli.bench.Samples.results;
import static dev.percpu.cli.bench.Samples.together;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cli.output.CliException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("once")
class TablesTest {
    private static final Run ATOMIC = new Run(
            RUN.processor(), 2, RUN.kernel(), RUN.jdk(), RUN.date(), RUN.commit(), BackEnd.ATOMIC, RUN.command());

    private static String page(String marker) {
        return "before\n<!-- " + marker + " -->\nold\n<!-- end of figures -->\nafter\n";
    }

    private static String renewed(String marker, Results results) {
        return new Tables(results, Curves.none()).renew(page(marker));
    }

    @Test
    void aTableHasAColumnForEachProcessorAndBelowItStandWhatOtherBackEndsTake() {
        Results results = together(
                results(
                        entry("AddBenchmark.longAdder", 1, 4.9, 5.0, 5.0),
                        entry("AddBenchmark.longAdder", 2, 10.0, 12.0, 14.0),
                        entry("AddBenchmark.emptyCall", 1, 2.0, 2.0, 2.0),
                        entry("AddBenchmark.perCpuAdd", 1, 2.5, 2.5, 2.5),
                        entry("AddBenchmark.perCpuAdd", 2, 100.0, 1250.0, 2000.0)),
                results(OTHER, entry("AddBenchmark.perCpuAdd", 1, 3.25)),
                results(ATOMIC, entry("AddBenchmark.perCpuAdd", 1, 6.125), entry("AddBenchmark.longAdder", 1, 5.5)));

        assertThat(renewed("figures: AddBenchmark", results)).isEqualTo("""
                before
                <!-- figures: AddBenchmark -->

                | ns per operation, 1 / 2 threads | AMD Zen 4 | AMD Zen 5 |
                |---|---|---|
                | **`PerCpuNumeric.add`** | **3.25** | **2.50 / 100–2,000** |
                | an empty call (floor) |  | 2.00 / – |
                | `LongAdder.add` |  | 5.00 / 12.0 (10.0–14.0) |

                *AMD Zen 4: in 1 JVM each, 2026-11-26, commit abcdef0.
                AMD Zen 5: in 3 JVMs each, 2026-11-25, commit abcdef0.*

                | without sequences, ns per operation, 1 / 2 threads | AMD Zen 5, atomic |
                |---|---|
                | **`PerCpuNumeric.add`** | **6.13** |

                *Measured in 1 JVM each, 2026-11-25, commit abcdef0.*

                <!-- end of figures -->
                after
                """);
        assertThat(renewed("figures of sequences: AddBenchmark", results))
                .contains("| AMD Zen 4 | AMD Zen 5 |")
                .doesNotContain("atomic");
    }

    @Test
    void aFigureFromFewerJvmsThanOthersIsMarked() {
        Results results =
                results(entry("AddBenchmark.perCpuAdd", 1, 2.5, 2.5), entry("AddBenchmark.longAdder", 1, 7.0));

        assertThat(renewed("figures: AddBenchmark", results))
                .contains(
                        "| **`PerCpuNumeric.add`** | **2.50** |",
                        "| `LongAdder.add` | 7.00¹ |",
                        "*Measured in 2 JVMs each, fewer where marked ¹, 2026-11-25, commit abcdef0.*");
    }

    @Test
    void theFirstProcessorSaysTheOrderOfTheRows() {
        Results results = together(
                results(entry("AddBenchmark.longAdder", 1, 1.0), entry("AddBenchmark.striped", 1, 2.0)),
                results(
                        OTHER,
                        entry("AddBenchmark.longAdder", 1, 4.0),
                        entry("AddBenchmark.longAdder", 2, 1.0),
                        entry("AddBenchmark.striped", 1, 3.0)));

        assertThat(renewed("figures: AddBenchmark", results)).contains("""
                | `striped` | 3.00 / – | 2.00 |
                | `LongAdder.add` | 4.00 / 1.00 | 1.00 |
                """);
    }

    @Test
    void machinesWithDifferentNumbersOfCpusSaySo() {
        Run large =
                new Run("Large", 64, RUN.kernel(), RUN.jdk(), RUN.date(), RUN.commit(), RUN.backend(), RUN.command());
        Results results = together(
                results(entry("AddBenchmark.perCpuAdd", 2, 2.5)),
                results(large, entry("AddBenchmark.perCpuAdd", 64, 3.0), entry("AddBenchmark.perCpuAdd", 2, 9.0)));

        assertThat(renewed("figures: AddBenchmark", results)).contains("""
                | ns per operation | AMD Zen 5, 1 / 2 threads | Large, 1 / 64 threads |
                |---|---|---|
                | **`PerCpuNumeric.add`** | **2.50** | **3.00** |
                """);
    }

    @Test
    void aSecondTimeThatPrintsLikeTheFirstIsToldToo() {
        Results results = results(
                entry("AddBenchmark.perCpuAdd", 1, 2.501),
                entry("AddBenchmark.perCpuAdd", 2, 2.503),
                entry("AddBenchmark.longAdder", 2, 7.0));

        assertThat(renewed("figures: AddBenchmark", results))
                .contains("| **`PerCpuNumeric.add`** | **2.50 / 2.50** |", "| `LongAdder.add` | – / 7.00 |");
    }

    @Test
    void aTimeHasThreeDigitsAndARangeOnlyIfItCanBeSeen() {
        assertThat(Tables.spread(0.0002, 0.0001, 0.004)).isEqualTo("0.00");
        assertThat(Tables.spread(9.996, 9.99, 10.02)).isEqualTo("10.0");
        assertThat(Tables.spread(10, 9.1, 11)).isEqualTo("10.0");
        assertThat(Tables.spread(99.96, 88.9, 140)).isEqualTo("100 (88.9–140)");
        assertThat(Tables.spread(52, 30, 90)).isEqualTo("30.0–90.0");
    }

    @Test
    void orAColumnForEachArrangementOfTheProcessorsThatHaveMore() {
        Results results = together(
                results(
                        entry("AddBenchmark.perCpuAdd", 1, 1.5, 2.5, 3.5),
                        entry("AddBenchmark.perCpuAdd", 8, 1.0, 3.0, 9.0)),
                results(RUN, true, entry("AddBenchmark.perCpuAdd", 2, 4.0), entry("AddBenchmark.longAdder", 2, 5.0)),
                results(OTHER, entry("AddBenchmark.perCpuAdd", 1, 9.0)));

        assertThat(renewed("figures by threads: AddBenchmark", results)).contains("""
                -->

                `AddBenchmark`:

                | AMD Zen 5, ns per operation; threads: | 1 | 8 | 2 virtual |
                |---|---|---|---|
                | **`PerCpuNumeric.add`** | **2.50** | **1.00–9.00** | **4.00¹** |
                | `LongAdder.add` |  |  | 5.00¹ |

                *Measured in 3 JVMs each, fewer where marked ¹, 2026-11-25, commit abcdef0.*

                <!--""");
    }

    @Test
    void whereNoProcessorHasMoreTheCommandIsTold() {
        assertThat(renewed(
                        "figures by threads: AddBenchmark; AddBenchmark",
                        results(entry("AddBenchmark.perCpuAdd", 1, 2.5))))
                .contains("*Not measured yet: `./percpu bench --quick --main --threads all --save` does.*");
    }

    @Test
    void ratiosOfSeveralComparisonsHaveAColumnForEachProcessor() {
        Results results = together(
                results(
                        entry("AddBenchmark.perCpuAdd", 1, 2.0),
                        entry("AddBenchmark.longAdder", 1, 5.0),
                        entry("AddBenchmark.perCpuAdd", 2, 2.0, 3.0, 6.0),
                        entry("AddBenchmark.striped", 2, 5.0)),
                results(
                        OTHER,
                        entry("AddBenchmark.perCpuAdd", 1, 4.0),
                        entry("AddBenchmark.longAdder", 1, 3.0),
                        entry("Lock.perCpuRead", 1, 5.0),
                        entry("Lock.stampedRead", 1, 10.0),
                        entry("Lock.perCpuRead", 2, 4.0, 5.0, 6.0),
                        entry("Lock.stampedRead", 2, 12.0, 15.0, 16.0)));

        assertThat(renewed("ratios: AddBenchmark; Lock, read", results)).contains("""
                | the best peer's time / ours, 1 / 2 threads | AMD Zen 4 | AMD Zen 5 |
                |---|---|---|
                | `PerCpuNumeric.add`; `AddBenchmark` | 0.75x | 2.50x / unclear |
                | read; `Lock, read` | 2.00x / 2.00x–4.00x |  |
                """);
    }

    @Test
    void aRatioWhoseSideOfOneIsNotCertainHasItsBoundsThoughTheyAreNear() {
        Results results = results(
                entry("AddBenchmark.perCpuAdd", 1, 2.0),
                entry("AddBenchmark.longAdder", 1, 1.7, 1.94, 2.04),
                entry("AddBenchmark.perCpuAdd", 2, 2.0),
                entry("AddBenchmark.longAdder", 2, 2.2));

        assertThat(renewed("ratios: AddBenchmark", results))
                .contains("| `PerCpuNumeric.add`; `AddBenchmark` | 0.85x–1.02x / 1.10x |");
    }

    /** In another run it could be the best one. */
    @Test
    void theBoundsOfARatioAreThoseOfAllPeers() {
        Results results = results(
                entry("AddBenchmark.perCpuAdd", 1, 2.0),
                entry("AddBenchmark.longAdder", 1, 4.8, 5.0, 5.2),
                entry("AddBenchmark.striped", 1, 3.0, 6.0, 9.0));

        assertThat(renewed("ratios: AddBenchmark", results))
                .contains("| `PerCpuNumeric.add`; `AddBenchmark` | 1.50x–2.60x |");
    }

    @Test
    void aCellIsEmptyWhereTheRoleIsNotThatOfTheRow() {
        Results results = together(
                results(entry("AddBenchmark.perCpuAdd", 1, 2.5), entry("AddBenchmark.ofThread", 1, 5.5)),
                results(RUN, true, entry("AddBenchmark.perCpuAdd", 1, 4.0), entry("AddBenchmark.ofThread", 1, 1.3)));

        assertThat(renewed("figures by threads: AddBenchmark", results)).contains("""
                | **`PerCpuNumeric.add`** | **2.50** | **4.00** |
                | one for each thread | 5.50 |  |

                """);
    }

    @Test
    void theDaysAndCommitsOfAllResultsAreTold() {
        Run later = new Run(
                RUN.processor(), 2, RUN.kernel(), RUN.jdk(), "2026-12-24", "1234567", RUN.backend(), RUN.command());

        assertThat(renewed(
                        "figures: AddBenchmark",
                        together(
                                results(later, entry("AddBenchmark.perCpuAdd", 1, 2.5)),
                                results(entry("AddBenchmark.longAdder", 1, 5.0)))))
                .contains("*Measured in 1 JVM each, 2026-11-25 to 2026-12-24, commits abcdef0, 1234567.*");
    }

    @Test
    void ofManyCommitsOnlyTheOldestAndTheNewestAreNamed() {
        assertThat(Run.when(List.of(of("2026-11-27", "c"), of("2026-11-25", "a"), of("2026-11-26", "b"))))
                .isEqualTo("2026-11-25 to 2026-11-27, commits a, 1 other, c");
        assertThat(Run.when(List.of(of("2026-11-25", "a"), of("2026-11-25", "a"))))
                .isEqualTo("2026-11-25, commit a");
    }

    private static Run of(String date, String commit) {
        return new Run(RUN.processor(), 2, RUN.kernel(), RUN.jdk(), date, commit, RUN.backend(), RUN.command());
    }

    @Test
    void aModelIsHeldAgainstWhatWasMeasured() {
        Results results = results(
                entry("AddBenchmark.longAdder", 1, 4.0),
                entry("AddBenchmark.longAdder", 2, 10.0),
                entry("Lock.stampedRead", 1, 10.0),
                entry("Lock.stampedRead", 2, 20.0, 42.0, 60.0),
                entry("AddBenchmark.perCpuAdd", 1, 2.5));
        Curves curves = Curves.parse(
                List.of("Cache line\t\tpart\tFLOOR\ta line\tns on its way=20\tadditions in a visit=10"), RUN);

        assertThat(new Tables(results, curves)
                        .renew(page("model: 1 AddBenchmark.longAdder; 2 Lock.stampedRead; 0 AddBenchmark.perCpuAdd")))
                .contains("| AMD Zen 5, *c* = 20.0 ns, *b* = 10.0 | *k* | *e*: 1 CPU | 2 CPUs, by the model |")
                .contains("| difference | 64 CPUs, by the model | 256 CPUs, by the model |")
                .contains("""
                | `LongAdder.add`; `AddBenchmark` | 1 | 4.00 | 12.0 | 10.0 | -17% | 384–1,536 | 1,536–6,144 |
                | stamped read; `Lock, read` | 2 | 10.0 | 28.0 | 42.0 (20.0–60.0) | +50% | 896–3,200 | 3,584–12,800 |
                | `PerCpuNumeric.add`; `AddBenchmark` | 0 | 2.50 | 2.50 |  |  | 2.50 | 2.50 |
                """);
    }

    @Test
    void aRowOfAModelIsANumberAndABenchmark() {
        Tables tables = new Tables(results(entry("AddBenchmark.longAdder", 1, 2.5)), Curves.none());

        assertThatThrownBy(() -> tables.renew(page("model: one AddBenchmark.longAdder")))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("one AddBenchmark.longAdder");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    figures: AbbBenchmark, add              | --only AbbBenchmark
                    figures of sequences: AbbBenchmark {i=0} | --only AbbBenchmark
                    model: 1 AddBenchmark.longAdder         | --curves="Cache line"
                    curves: Memory                          | --curves="Memory"
                    """)
    void whatWasNotMeasuredYetSaysHowToMeasureIt(String marker, String options) {
        assertThat(renewed(marker, results(entry("AddBenchmark.longAdder", 1, 2.5))))
                .isEqualTo("before\n<!-- " + marker + " -->\n\n*Not measured yet: `./percpu bench " + options
                        + " --save` does.*\n\n<!-- end of figures -->\nafter\n");
    }

    @Test
    void ratiosSayWhatWasNotMeasuredYet() {
        Results results = results(entry("AddBenchmark.perCpuAdd", 1, 2.0), entry("AddBenchmark.longAdder", 1, 5.0));

        assertThat(renewed("ratios: AbbBenchmark; AddBenchmark", results)).contains("""
                        |---|---|
                        | `AbbBenchmark`: not measured |  |
                        | `PerCpuNumeric.add`; `AddBenchmark` | 2.50x |

                        <!--""");
    }

    /** A wrong name would never be measured. */
    @Test
    void eachTableOfTheDocumentationIsOfABenchmarkThatExists() throws IOException {
        Path benchmarks = Path.of("..", "benchmarks", "src", "main", "java", "dev", "percpu", "benchmarks");
        Pattern table =
                Pattern.compile("<!-- (?:figures|figures of sequences|figures by threads|ratios): ([^>]+?) -->");
        // Such as "CounterBenchmark, increment" and "ReadWriteMixBenchmark {writesInThousand=0}".
        Pattern comparison = Pattern.compile("(\\w+)(?:, (.+))?(?: \\{(\\w+)=.*})?");
        for (Path page : Tables.pages(Path.of(".."))) {
            for (MatchResult found :
                    table.matcher(Files.readString(page)).results().toList()) {
                for (String name : found.group(1).split("; ", -1)) {
                    Matcher parts = comparison.matcher(name);
                    assertThat(parts.matches()).as(name).isTrue();
                    String source = Files.readString(benchmarks.resolve(parts.group(1) + ".java"));
                    if (parts.group(2) != null) {
                        assertThat(source).contains("\"" + parts.group(2) + "\"");
                    }
                    if (parts.group(3) != null) {
                        assertThat(source).contains(parts.group(3));
                    }
                }
            }
        }
    }

    /** If this fails, {@code ./percpu bench --tables} has to be run. */
    @Test
    void theTablesOfTheDocumentationAreThoseOfTheSavedResults() throws IOException {
        Path home = Path.of("..");
        Path results = home.resolve("benchmarks").resolve("results");
        Tables tables = new Tables(Results.readAll(results), Curves.read(results));

        for (Path page : Tables.pages(home)) {
            String text = Files.readString(page);
            assertThat(tables.renew(text)).as("the tables of %s", page).isEqualTo(text);
        }
    }
}

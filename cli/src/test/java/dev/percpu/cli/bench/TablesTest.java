package dev.percpu.cli.bench;

import static dev.percpu.cli.bench.Samples.ROLES;
import static dev.percpu.cli.bench.Samples.RUN;
import static dev.percpu.cli.bench.Samples.entry;
import static dev.percpu.cli.bench.Samples.results;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cli.CliException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class TablesTest {
    private static final Run ATOMIC = new Run(
            RUN.processor(), 2, RUN.kernel(), RUN.jdk(), RUN.date(), RUN.commit(), BackEnd.ATOMIC, RUN.command());

    private static String page(String marker) {
        return "before\n<!-- " + marker + " -->\nold\n<!-- end of figures -->\nafter\n";
    }

    @Test
    void aTableHasAColumnForEachProcessorAndBackEnd() {
        Results results = results(
                        entry("AddBenchmark.longAdder", 1, 4.9, 5.0, 5.0),
                        entry("AddBenchmark.longAdder", 2, 10.0, 12.0, 14.0),
                        entry("AddBenchmark.emptyCall", 1, 2.0),
                        entry("AddBenchmark.perCpuAdd", 1, 2.5),
                        entry("AddBenchmark.perCpuAdd", 2, 100.0, 1250.0, 2000.0))
                .over(
                        results(
                                ATOMIC,
                                entry("AddBenchmark.perCpuAdd", 1, 6.125),
                                entry("AddBenchmark.longAdder", 1, 5.5)),
                        ROLES);

        assertThat(new Tables(results, Curves.none()).renew(page("figures: AddBenchmark")))
                .isEqualTo("""
                before
                <!-- figures: AddBenchmark -->

                | ns per operation | AMD Zen 5, 1 / 2 threads | AMD Zen 5, atomic, 1 / 2 threads |
                |---|---|---|
                | **`PerCpuNumeric.add`** | **2.50 / unstable: 100 to 2,000** | **6.13** |
                | an empty call (floor) | 2.00 / – |  |
                | `LongAdder.add` | 5.00 / 12.0 (10.0 to 14.0) |  |

                <!-- end of figures -->
                after
                """);
    }

    @Test
    void aSecondTimeThatPrintsLikeTheFirstIsToldToo() {
        Results results = results(
                entry("AddBenchmark.perCpuAdd", 1, 2.501),
                entry("AddBenchmark.perCpuAdd", 2, 2.503),
                entry("AddBenchmark.longAdder", 2, 7.0));

        assertThat(new Tables(results, Curves.none()).renew(page("figures: AddBenchmark")))
                .contains("| **`PerCpuNumeric.add`** | **2.50 / 2.50** |", "| `LongAdder.add` | – / 7.00 |");
    }

    @Test
    void aTimeHasThreeDigitsAndARangeOnlyIfItCanBeSeen() {
        assertThat(Tables.spread(0.0002, 0.0001, 0.004)).isEqualTo("0.00");
        assertThat(Tables.spread(9.996, 9.99, 10.02)).isEqualTo("10.0");
        assertThat(Tables.spread(99.96, 88.9, 140)).isEqualTo("100 (88.9 to 140)");
        assertThat(Tables.spread(52, 30, 90)).isEqualTo("unstable: 30.0 to 90.0");
    }

    @Test
    void orAColumnForEachArrangement() {
        Results results = results(entry("AddBenchmark.perCpuAdd", 1, 2.5), entry("AddBenchmark.perCpuAdd", 8, 3.0));

        assertThat(new Tables(results, Curves.none()).renew(page("figures by threads: AddBenchmark")))
                .contains("""
                | ns per operation | AMD Zen 5, 1 thread | AMD Zen 5, 8 threads |
                |---|---|---|
                | **`PerCpuNumeric.add`** | **2.50** | **3.00** |
                """);
    }

    @Test
    void aComparisonWithoutResultsIsAnError() {
        Tables tables = new Tables(results(entry("AddBenchmark.perCpuAdd", 1, 2.5)), Curves.none());

        assertThatThrownBy(() -> tables.renew(page("figures: AbbBenchmark")))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("\"AbbBenchmark\"")
                .hasMessageContaining("AddBenchmark");
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

package dev.percpu.cli.bench;

import static dev.percpu.cli.bench.Samples.ROLES;
import static dev.percpu.cli.bench.Samples.RUN;
import static dev.percpu.cli.bench.Samples.entry;
import static dev.percpu.cli.bench.Samples.results;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.groups.Tuple.tuple;

import com.google.gson.JsonParser;
import dev.percpu.cli.bench.Roles.Kind;
import dev.percpu.cli.output.CliException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("once")
class ResultsTest {
    private static final Run LATER =
            new Run(RUN.processor(), 2, RUN.kernel(), RUN.jdk(), "2026-12-24", "1234567", RUN.backend(), RUN.command());

    @TempDir
    Path directory;

    @Test
    void aFileGivesBackWhatWasWritten() {
        Results results = results(entry("AddBenchmark.perCpuAdd", 1, 2, 3, 7), entry("Lock.perCpuRead", 2, 5));
        Path file = Results.file(directory, RUN.processor());

        results.write(file);

        assertThat(file.getFileName()).hasToString("amd-zen-5.json");
        assertThat(Results.readAll(directory).list()).isEqualTo(results.list());
    }

    @Test
    void theTimeIsTheMedianOfTheForks() {
        BenchmarkResult result =
                results(entry("AddBenchmark.perCpuAdd", 1, 2, 3, 7)).list().getFirst();

        assertThat(result.nanos()).isEqualTo(3);
        assertThat(result.least()).isEqualTo(2);
        assertThat(result.greatest()).isEqualTo(7);
    }

    @Test
    void ofSeveralForksEachCountsAsTheMedianOfItsIterations() {
        String entry = entry("AddBenchmark.perCpuAdd", 1, 0, 0, 0)
                .replaceFirst("\\[\\[0.0], \\[0.0], \\[0.0]]", "[[2, 1, 90], [9, 3, 5], [4, 4, 4]]");

        BenchmarkResult result = results(entry).list().getFirst();

        assertThat(List.of(result.least(), result.nanos(), result.greatest())).containsExactly(2.0, 4.0, 5.0);
        assertThat(result.jvms()).isEqualTo(3);
    }

    @Test
    void whatMoreThreadsThanCpusDoTogetherIsTheTimeOfACpu() {
        String entry = entry("AddBenchmark.perCpuAdd", 8, 0.25, 0.5, 0.8).replace("ns/op", "ops/ns");

        BenchmarkResult result = results(entry).list().getFirst();

        assertThat(List.of(result.least(), result.nanos(), result.greatest())).containsExactly(2.5, 4.0, 8.0);
    }

    @Test
    void ofOneForkEachIterationCounts() {
        String entry = entry("AddBenchmark.perCpuAdd", 1, 0).replaceFirst("\\[\\[0.0]]", "[[2, 1, 90]]");

        BenchmarkResult result = results(entry).list().getFirst();

        assertThat(List.of(result.least(), result.nanos(), result.greatest())).containsExactly(1.0, 2.0, 90.0);
        assertThat(result.jvms()).isEqualTo(1);
    }

    @Test
    void theNewerResultReplacesTheOlderOneAndLeavesTheOthers() {
        Results older = results(entry("AddBenchmark.perCpuAdd", 1, 2), entry("AddBenchmark.perCpuAdd", 2, 4));
        Results newer = results(entry("AddBenchmark.perCpuAdd", 2, 5), entry("AddBenchmark.longAdder", 2, 9));

        assertThat(newer.over(older, ROLES).list())
                .extracting(BenchmarkResult::method, BenchmarkResult::nanos)
                .containsExactlyInAnyOrder(tuple("perCpuAdd", 2.0), tuple("perCpuAdd", 5.0), tuple("longAdder", 9.0));
    }

    @Test
    void whatIsMergedKeepsItsOwnDayAndCommit() {
        Results older = results(entry("AddBenchmark.perCpuAdd", 1, 2), entry("AddBenchmark.longAdder", 1, 4));
        Results newer = results(LATER, entry("AddBenchmark.perCpuAdd", 1, 3));

        assertThat(newer.over(older, ROLES).list())
                .extracting(BenchmarkResult::method, BenchmarkResult::run)
                .containsExactlyInAnyOrder(tuple("perCpuAdd", LATER), tuple("longAdder", RUN));
    }

    @Test
    void whatIsMergedLeavesOutBenchmarksThatNoLongerExist() {
        Results older = results(entry("AddBenchmark.perCpuAdd", 1, 2), entry("Sum.cupboard", 1, 4));
        Roles roles = Roles.parse(List.of("dev.percpu.benchmarks.Sum.cupboard\tPEER\t\tcupboard"));

        assertThat(results().over(older, roles).list())
                .extracting(BenchmarkResult::method)
                .containsExactly("cupboard");
    }

    @Test
    void aComparisonOfFloorsAloneIsPartOfAllOthersOfItsRun() {
        Results results = results(
                entry("FloorBenchmark.call", 1, 2),
                entry("FloorBenchmark.call", 4, 3),
                entry("AddBenchmark.perCpuAdd", 1, 4),
                entry("Lock.perCpuRead", 1, 5));

        assertThat(results.comparisons()).containsOnlyKeys("AddBenchmark", "Lock, read");
        assertThat(results.comparisons().values())
                .allSatisfy(list -> assertThat(list)
                        .filteredOn(result -> result.method().equals("call"))
                        .extracting(BenchmarkResult::nanos)
                        .containsExactly(2.0));
    }

    @Test
    void aComparisonKeepsTheFloorOfItsOwnRun() {
        Results older = results(entry("FloorBenchmark.call", 1, 2), entry("AddBenchmark.perCpuAdd", 1, 4));
        Results newer = results(LATER, entry("FloorBenchmark.call", 1, 9), entry("Lock.perCpuRead", 1, 5));

        var comparisons = newer.over(older, ROLES).comparisons();

        assertThat(floors(comparisons.get("AddBenchmark"))).containsExactly(2.0);
        assertThat(floors(comparisons.get("Lock, read"))).containsExactly(9.0);
    }

    @Test
    void aComparisonOfSeveralRunsHasTheFloorOfTheNewest() {
        Results older = results(
                entry("FloorBenchmark.call", 1, 2),
                entry("AddBenchmark.perCpuAdd", 1, 4),
                entry("AddBenchmark.longAdder", 1, 5));
        Results newer = results(LATER, entry("FloorBenchmark.call", 1, 9), entry("AddBenchmark.longAdder", 1, 6));

        assertThat(floors(newer.over(older, ROLES).comparisons().get("AddBenchmark")))
                .containsExactly(9.0);
    }

    @Test
    void aFloorGoesWithTheLastOfItsRun() {
        Results older = results(entry("FloorBenchmark.call", 1, 2), entry("AddBenchmark.perCpuAdd", 1, 4));
        Results newer = results(LATER, entry("FloorBenchmark.call", 1, 9), entry("AddBenchmark.perCpuAdd", 1, 5));

        assertThat(floors(newer.over(older, ROLES).list())).containsExactly(9.0);
    }

    private static List<Double> floors(List<BenchmarkResult> list) {
        return list.stream()
                .filter(result -> result.kind() == Kind.FLOOR)
                .map(BenchmarkResult::nanos)
                .toList();
    }

    @Test
    void aFileThatHoldsSomethingElseIsAnError() throws IOException {
        Path file = Files.writeString(directory.resolve("other.json"), "{}");

        assertThatThrownBy(() -> Results.read(file))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("holds no JSON array");
    }

    /** Such as a pool that keeps nothing for virtual threads. */
    @Test
    void aPeerOfPlatformThreadsIsNotComparedWithVirtualOnes() {
        Roles roles = Roles.parse(
                List.of("dev.percpu.benchmarks.AddBenchmark.longAdder\tPEER_OF_PLATFORM_THREADS\t\t`LongAdder.add`"));
        Results results = new Results();
        for (boolean virtual : new boolean[] {false, true}) {
            results.add(
                    JsonParser.parseString("[" + entry("AddBenchmark.longAdder", 2, 1.0) + "]")
                            .getAsJsonArray(),
                    RUN,
                    new Arrangement(2, virtual),
                    roles);
        }

        assertThat(results.list()).extracting(BenchmarkResult::kind).containsExactly(Kind.PEER, Kind.NOT_COMPARABLE);
    }
}

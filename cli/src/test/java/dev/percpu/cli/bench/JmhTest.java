package dev.percpu.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("tools")
@Tag("once")
class JmhTest {
    private static final Path SOURCES =
            Path.of("..", "benchmarks", "src", "main", "java", "dev", "percpu", "benchmarks");

    private static final Pattern BENCHMARK = Pattern.compile("@Benchmark\\s.*?public \\S+ (\\w+)\\(", Pattern.DOTALL);

    /** Without one that was renamed, fewer are measured, or a quick run measures what takes long. */
    @Test
    void whatIsSelectedByNameExists() throws IOException {
        List<String> benchmarks = benchmarks();
        assertThat(Stream.concat(Jmh.MAIN.stream().map(name -> name + "\\."), Jmh.LATE_MEASURED.stream()))
                .allSatisfy(part -> assertThat(benchmarks)
                        .anyMatch(Pattern.compile("\\." + part).asPredicate()));
        assertThat(benchmarks)
                .anyMatch(Pattern.compile(Jmh.selection(false, true)).asPredicate())
                .anyMatch(Pattern.compile(Jmh.selection(true, false)).asPredicate());
    }

    /** A quick run would tell a median of two states. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aQuickRunLeavesOutWhatNeedsALongerWarmUp(boolean main) throws IOException {
        assertThat(benchmarks().stream()
                        .filter(Pattern.compile(Jmh.selection(true, main)).asPredicate()))
                .contains("dev.percpu.benchmarks.PoolBenchmark.perCpuPool")
                .doesNotContain(
                        "dev.percpu.benchmarks.PoolBenchmark.jacksonLockFree",
                        "dev.percpu.benchmarks.PoolBenchmark.concurrentLinkedQueue",
                        "dev.percpu.benchmarks.PoolBenchmarkVirtualThreads.perCpuPool",
                        "dev.percpu.benchmarks.PrometheusBenchmark.clientLookUp",
                        "dev.percpu.benchmarks.HistogramSnapshotBenchmark.perCpuSnapshot");
    }

    private static List<String> benchmarks() throws IOException {
        List<String> names = new ArrayList<>();
        try (Stream<Path> files = Files.list(SOURCES)) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".java")).toList()) {
                String type = file.getFileName().toString().replace(".java", "");
                BENCHMARK
                        .matcher(Files.readString(file))
                        .results()
                        .forEach(found -> names.add("dev.percpu.benchmarks." + type + "." + found.group(1)));
            }
        }
        return names;
    }
}

package dev.percpu.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import dev.percpu.cli.CommandRun;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes.Name;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BenchCommandTest {
    private static final String HOME = "percpu.home";

    @TempDir
    Path home;

    @BeforeEach
    void useHome() {
        System.setProperty(HOME, home.toString());
    }

    @AfterEach
    void forgetHome() {
        System.clearProperty(HOME);
    }

    /** A jar that holds nothing but a reference to the tests' classes. */
    private void installFakeJmh() throws IOException, URISyntaxException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Name.MAIN_CLASS, FakeJmh.class.getName());
        manifest.getMainAttributes()
                .put(
                        Name.CLASS_PATH,
                        FakeJmh.class
                                .getResource("FakeJmh.class")
                                .toURI()
                                .resolve("../../../../")
                                .toString());
        Path jar = home.resolve("benchmarks/target/benchmarks.jar");
        Files.createDirectories(jar.getParent());
        new JarOutputStream(Files.newOutputStream(jar), manifest).close();
    }

    @Test
    void quicklyMeasuresAThreadAloneAndOneForEachCpuAndPrintsATable() throws Exception {
        installFakeJmh();
        Path json = home.resolve("results.json");

        CommandRun run = CommandRun.of("bench", "--quick", "--only", "Add", "--json", json.toString());

        assertThat(run.status()).isZero();
        String cpus = Integer.toString(Runtime.getRuntime().availableProcessors());
        assertThat(run.out().lines())
                .startsWith("Back end " + System.getProperty("percpu.backend"), "")
                .contains("  perCpuAdd         1   3.00      7%             none");
        assertThat(run.err())
                .contains("AddBenchmark.perCpuAdd, 1 thread", "AddBenchmark.perCpuAdd, " + cpus + " thread");
        assertThat(JsonParser.parseString(Files.readString(json))
                        .getAsJsonArray()
                        .asList())
                .extracting(JsonElement::getAsJsonObject)
                .extracting(result -> result.get("threads").getAsString())
                .containsExactly("1", cpus);
    }

    @Test
    void measuresWithTheThreadsAskedFor() throws Exception {
        installFakeJmh();

        CommandRun run = CommandRun.of("bench", "--threads", "3", "--virtual");

        assertThat(run.status()).isZero();
        assertThat(run.out()).contains("  perCpuAdd   3 virtual   3.00");
        assertThat(run.err().lines())
                .singleElement()
                .asString()
                .matches("percpu:  50%, \\d+ s left  AddBenchmark.perCpuAdd, 3 virtual threads");
    }

    @Test
    void measuresAllArrangementsOfTheMainStructuresQuicklyIfAskedTo() throws Exception {
        installFakeJmh();

        CommandRun run = CommandRun.of("bench", "--quick", "--main", "--threads", "all");
        CommandRun virtual = CommandRun.of("bench", "--quick", "--threads", "all", "--virtual");

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).contains("no benchmark has \"^(?!", "\\.(CounterBenchmark|");
        int cpus = Runtime.getRuntime().availableProcessors();
        assertThat(virtual.status()).isZero();
        assertThat(virtual.err())
                .contains("1 virtual thread\n", 4 * cpus + " virtual threads\n")
                .doesNotContain("perCpuAdd, 1 thread\n");
    }

    @Test
    void aForkHasACarrierForEachVirtualThread() throws Exception {
        installFakeJmh();

        CommandRun run = CommandRun.of("bench", "--threads", "99", "--virtual", "--only", FakeJmh.FAILING);

        assertThat(run.err())
                .contains("-Djmh.executor=VIRTUAL -Djdk.virtualThreadScheduler.parallelism=99")
                // More than can run at a time.
                .contains("-bm, thrpt,");
    }

    @ParameterizedTest
    @CsvSource({
        "--forks 3, '-f, 3,'",
        "--quick, '-bm, avgt,'",
        "--quick, '30ms, -f, 1,'",
        "--quick --forks 5, '30ms, -f, 5,'",
    })
    void measuresInAsManyJvmsAsAskedFor(String options, String passed) throws Exception {
        installFakeJmh();

        CommandRun run = CommandRun.of(
                Stream.concat(Stream.of("bench", "--only", FakeJmh.FAILING), Stream.of(options.split(" ")))
                        .toArray(String[]::new));

        assertThat(run.err()).contains(passed);
    }

    @Test
    void whatIsSavedIsCheckedAgainstTabulatedAndDrawn() throws Exception {
        installFakeJmh();
        Files.createDirectories(home.resolve("benchmarks/results"));
        Files.createDirectories(home.resolve("docs"));
        Path page = home.resolve("docs/page.md");
        Files.writeString(page, "<!-- figures: AddBenchmark -->\nold\n<!-- end of figures -->\n");
        Files.writeString(home.resolve("README.md"), "");
        Path html = home.resolve("page.html");

        assertThat(CommandRun.of("bench", "--quick", "--save").status()).isZero();
        CommandRun check = CommandRun.of("bench", "--quick", "--check");
        CommandRun tables = CommandRun.of("bench", "--tables");
        CommandRun drawn = CommandRun.of("bench", "--saved", "--html", html.toString());

        assertThat(check.status()).isZero();
        assertThat(tables.status()).isZero();
        assertThat(Files.readString(page)).contains("| **`add`** | **3.00").doesNotContain("old");
        assertThat(drawn.status()).isZero();
        assertThat(Files.readString(html)).contains("\"name\":\"AddBenchmark\"", "bench --saved --html");
    }

    @Test
    void resultsOfAnotherNumberOfCpusAreNotMixedIn() throws Exception {
        installFakeJmh();
        Path kept = Files.createDirectories(home.resolve("benchmarks/results"));
        assertThat(measure("--save").status()).isZero();
        Path file = fileIn(kept);
        String cpus = "\"cpus\":" + Runtime.getRuntime().availableProcessors();
        String saved = Files.readString(file);
        assertThat(saved).contains(cpus);
        String changed = saved.replace(cpus, "\"cpus\":" + (Runtime.getRuntime().availableProcessors() + 1));
        Files.writeString(file, changed);

        CommandRun run = measure("--save");

        assertThat(run.failure())
                .contains("has results of another number of CPUs than")
                .endsWith("without --save");
        assertThat(file).hasContent(changed);
        assertThat(run.err()).as("before anything is measured").doesNotContain("perCpuAdd");
    }

    private static Path fileIn(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.findFirst().orElseThrow();
        }
    }

    @Test
    void aRatioThatIsWorseThanTheSavedOneIsStatus1() throws Exception {
        installFakeJmh();
        Path kept = Files.createDirectories(home.resolve("benchmarks/results"));

        assertThat(measure("--save").status()).isZero();
        CommandRun same = measure("--check");
        speedUp(kept);
        CommandRun worse = measure("--check");

        assertThat(same.status()).isZero();
        assertThat(same.out()).contains("1 of 1 ratios agree");
        assertThat(worse.status()).isEqualTo(1);
        assertThat(worse.out()).contains("AddBenchmark, perCpuAdd, 1 thread").contains("-67%  worse, in 1 JVM");
        assertThat(worse.err().lines()).last().isEqualTo("percpu: 1 ratio is worse than what is kept");
    }

    private static CommandRun measure(String more) {
        return CommandRun.of("bench", "--threads", "1", "--only", FakeJmh.WITH_PEER, more);
    }

    /** What is saved is as if ours had taken a third of the time then. */
    private static void speedUp(Path kept) throws IOException {
        Path file = fileIn(kept);
        String saved = Files.readString(file);
        assertThat(saved).contains("[[3.0,2.9,3.1]]");
        Files.writeString(file, saved.replace("[[3.0,2.9,3.1]]", "[[1.0,0.97,1.03]]"));
    }

    @Test
    void curvesAreSavedTabulatedAndDrawnToo() throws Exception {
        installFakeJmh();
        Files.createDirectories(home.resolve("benchmarks/results"));
        Files.createDirectories(home.resolve("docs"));
        Path page = home.resolve("docs/page.md");
        // The table is of sequences alone.
        boolean sequences = System.getProperty("percpu.backend").equals("rseq");
        Files.writeString(page, sequences ? "<!-- curves: Server -->\nold\n<!-- end of figures -->\n" : "");
        Files.writeString(home.resolve("README.md"), "");
        Path html = home.resolve("page.html");

        CommandRun measured = CommandRun.of("bench", "--curves", "--save");
        CommandRun none = CommandRun.of("bench", "--curves=Memories");
        CommandRun kept = CommandRun.of("bench", "--tables", "--html", html.toString());

        assertThat(none.status()).isEqualTo(1);
        assertThat(none.err()).contains("no chart has \"Memories\" in its title");
        assertThat(measured.status()).isZero();
        assertThat(measured.err()).contains("working at it");
        assertThat(measured.out().lines())
                .containsSequence("Memory, bytes; counters:    10  1,000", "  `PerCpuCounter`         24.5   24.0");
        assertThat(kept.status()).isZero();
        if (sequences) {
            assertThat(Files.readString(page)).contains("| **ours** | **3.00 (2.00–4.00)** | **0.50–4.00** |");
        }
        assertThat(Files.readString(html))
                .contains("\"label\":\"PerCpuCounter\"", "\"1,000\":24.0")
                .doesNotContain("in a second");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--tables --quick",
                "--curves --only Add",
                "--curves --saved",
                "--saved --only Add",
                "--tables --save",
                "--saved --threads 2"
            })
    void whatIsKeptIsNotMeasured(String options) {
        CommandRun run = CommandRun.of(
                Stream.concat(Stream.of("bench"), Stream.of(options.split(" "))).toArray(String[]::new));

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).contains("mutually exclusive");
    }

    @Test
    void curvesHaveNoPlaceInAFileOfJmhsFormat() {
        CommandRun run = CommandRun.of(
                "bench", "--curves", "--json", home.resolve("curves.json").toString());

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).contains("--json cannot be given with --curves", "--save keeps them");
    }

    @Test
    void theMainStructuresAreNotSelectedByName() {
        CommandRun run = CommandRun.of("bench", "--main", "--only", "Add");

        assertThat(run.status()).isEqualTo(2);
    }

    @Test
    void virtualThreadsMustBeCounted() {
        CommandRun run = CommandRun.of("bench", "--virtual");

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).contains("Missing required argument").contains("--threads");
    }

    @Test
    void thereMustBeResultsToCheckAgainst() throws Exception {
        installFakeJmh();

        CommandRun run = CommandRun.of("bench", "--quick", "--check");

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err().lines()).last().asString().startsWith("percpu: there is nothing to check against");
    }

    @Test
    void nothingToMeasureIsAnError() throws Exception {
        installFakeJmh();

        assertThat(CommandRun.of("bench", "--only", "Nothing").failure())
                .isEqualTo("percpu: no benchmark has \"Nothing\" in its name");
    }

    @Test
    void aFailureOfJmhIsAnErrorWithItsLastLines() throws Exception {
        installFakeJmh();

        CommandRun run = CommandRun.of("bench", "--only", FakeJmh.FAILING);

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines())
                .last()
                .asString()
                .startsWith("percpu: JMH ended with status 1; its last lines: options: [")
                .contains("-t, 1,", "-prof, gc,")
                .contains("-jvmArgsAppend, --enable-native-access=ALL-UNNAMED -Dpercpu.backend="
                        + System.getProperty("percpu.backend"));
    }

    @Test
    void aMissingJarIsAnError() {

        assertThat(CommandRun.of("bench").failure()).startsWith("percpu: the benchmarks are not built");
    }

    @Test
    void aResultFileThatCannotBeWrittenIsAnErrorBeforeMeasuring() throws Exception {
        installFakeJmh();
        Path directory = home.resolve("no-such-directory");
        String file = directory.resolve("results.json").toString();

        assertThat(CommandRun.of("bench", "--json", file).failure())
                .isEqualTo("percpu: " + file + " cannot be written: there is no directory " + directory);
        assertThat(CommandRun.of("bench", "--html", home.toString()).failure())
                .isEqualTo("percpu: " + home + " cannot be written: it is a directory");
    }

    /** A disk that is full, which nobody knows before something is written. */
    @ParameterizedTest
    @ValueSource(strings = {"--quick --json", "--quick --html", "--curves --html"})
    void whatWasMeasuredIsPrintedAndKeptAlsoIfAFileCannotBeWritten(String options) throws Exception {
        installFakeJmh();
        Path kept = Files.createDirectories(home.resolve("benchmarks/results"));

        CommandRun run = CommandRun.of(("bench --save " + options + " /dev/full").split(" "));

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err().lines()).last().isEqualTo("percpu: /dev/full cannot be written: No space left on device");
        assertThat(run.out()).isNotEmpty();
        assertThat(kept).isNotEmptyDirectory();
    }

    @Test
    void whatIsKeptIsTakenForSomething() {
        CommandRun run = CommandRun.of("bench", "--saved");

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err().lines())
                .containsExactly(
                        "percpu: --saved needs --html, --json or --tables, which say what to do with the results"
                                + " (see ./percpu bench --help)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--tables", "--saved --html page.html"})
    void whereNothingIsKeptNothingIsMadeOfIt(String options) throws Exception {
        Files.createDirectories(home.resolve("benchmarks/results"));
        Files.createDirectories(home.resolve("docs"));
        String table = "<!-- figures: AddBenchmark -->\nold\n<!-- end of figures -->\n";
        Path page = Files.writeString(home.resolve("README.md"), table);

        assertThat(CommandRun.of(("bench " + options.replace("page.html", home + "/page.html")).split(" "))
                        .failure())
                .isEqualTo("percpu: no results are kept in " + home.resolve("benchmarks/results"));
        assertThat(page).hasContent(table);
        assertThat(home.resolve("page.html")).doesNotExist();
    }
}

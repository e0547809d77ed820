package dev.percpu.stress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import dev.percpu.testing.Jvm;
import dev.percpu.testing.Processes;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StressMainTest {
    private static final String USAGE = "[1-9][0-9,]* KiB resident, [1-9][0-9,]* KiB of malloc, [1-9][0-9,]* KiB heap,"
            + " [1-9][0-9,]* bytes of each CPU's place, [1-9][0-9]* threads, [1-9][0-9]* descriptors,"
            + " [1-9][0-9,]* classes\n";

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private final Locale before = Locale.getDefault(Locale.Category.FORMAT);

    /** It writes numbers in another way than the program does. */
    @BeforeEach
    void setLocale() {
        Locale.setDefault(Locale.Category.FORMAT, Locale.GERMANY);
    }

    @AfterEach
    void resetLocale() {
        Locale.setDefault(Locale.Category.FORMAT, before);
    }

    private int run(String... args) {
        return StressMain.run(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                args);
    }

    @Test
    void aShortRunUsesEveryStructureItIsAskedFor() {
        assertThat(run("--seconds", "3", "--seed", "7", "--soak", "--only", "counters,pool"))
                .as(out + "\n" + err)
                .isZero();
        assertThat(out.toString(StandardCharsets.UTF_8))
                .containsPattern("seed 7, 8 threads, [1-9][0-9]* epochs in [1-9][0-9]*\\.[0-9] s\n")
                .containsPattern("\noperations +[1-9]")
                .containsPattern("  counters +[1-9]")
                .containsPattern("  pool +[1-9]")
                .containsPattern(" [1-9][0-9]{0,2}(,[0-9]{3})+\n")
                .containsPattern("lost or doubled +0\n")
                .doesNotContain("histogram")
                .containsOnlyOnce("minute ")
                .containsPattern("minute 0: " + USAGE)
                .containsPattern("at the end: " + USAGE);
    }

    /** The program, beside a thread that says again and again what is true of no guard. */
    static final class WithWrongReports {
        private WithWrongReports() {}

        public static void main(String[] args) {
            Thread.ofPlatform().daemon().start(() -> {
                while (true) {
                    Logger.getLogger("dev.percpu").warning("a guard that nobody held is taken over");
                    LockSupport.parkNanos(1_000_000);
                }
            });
            StressMain.main(args);
        }
    }

    @Tag("once")
    @Test
    void aRunThatFailsSaysHowToRepeatIt() {
        String options = "--seconds 1 --threads 2 --seed 7 --delay 10 --backend atomic --only ";
        List<String> words = List.of((options + "counters,pool").split(" "));

        Jvm.Result result = new Jvm()
                .with(System.getProperty("java.class.path"))
                .run(WithWrongReports.class, words.toArray(String[]::new));

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.output())
                .containsPattern("\nFAILED: guards: 0 owners died, [1-9][0-9]* were replaced\n")
                .contains("\nAgain: ./percpu stress " + options + "'counters,pool'\n")
                .doesNotContain("lost or doubled");
    }

    @Tag("once")
    @Test
    void aRunOfFaultsSaysWhatFoundThem() {
        assertThat(run("--faults", "--only", "in C a nested guard releases the CPU,a number is pushed without a fence"))
                .as(out + "\n" + err)
                .isZero();
        String table = """
                | fault | found by | after | as |
                |---|---|---|---|
                | a number is pushed without a fence | nothing |  | .+ |
                | in C a nested guard releases the CPU | c operations.c | [0-9]+ s | operations\\.c:[0-9]+: .+ |

                2 faults, 0 of them not found by what should find them
                """.replace("|", "\\|");
        assertThat(out.toString(StandardCharsets.UTF_8)).containsPattern("\n\n" + table + "$");
    }

    @Test
    void wrongArgumentsAreToldInOneLine() {
        assertThat(run("--seconds", "0")).isEqualTo(2);
        assertThat(run("--threads", "many")).isEqualTo(2);
        assertThat(run("--threads", "0")).isEqualTo(2);
        assertThat(run("--delay", "0")).isEqualTo(2);
        assertThat(run("--backend", "zork")).isEqualTo(2);
        assertThat(run("--only", "zork")).isEqualTo(2);
        assertThat(run("--failures", "--ways", "stack,zork")).isEqualTo(2);
        assertThat(err.toString(StandardCharsets.UTF_8).lines())
                .hasSize(7)
                .allMatch(line -> line.startsWith("percpu: --") || line.contains("--threads"))
                .allMatch(line -> line.endsWith("(see ./percpu stress --help)"));
        assertThat(out.size()).isZero();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --faults --seconds 0              | --seconds must be positive, not 0
            --ways stack --seconds 1          | --ways has no meaning without --failures
            --jcstress --only counters        | --only has no meaning with --jcstress
            --jcstress --failures             | --failures has no meaning with --jcstress
            --jcstress --faults               | --faults has no meaning with --jcstress
            --faults --failures               | --failures has no meaning with --faults
            --faults --backend rseq           | --backend has no meaning with --faults
            --failures --ways stack --seed 1  | --seed has no meaning with --failures
            """)
    void optionsThatWouldBeIgnoredAreRefused(String options, String message) {
        // Of all modes, what is not refused is over at once.
        assertThat(run((options + " --list").split(" "))).isEqualTo(2);
        assertThat(err.toString(StandardCharsets.UTF_8).lines())
                .containsExactly("percpu: " + message + " (see ./percpu stress --help)");
        assertThat(out.size()).isZero();
    }

    @Test
    void outputThatCannotBeWrittenIsOneLine() throws Exception {
        try (PrintStream full = new PrintStream(Files.newOutputStream(Path.of("/dev/full")), true)) {
            int status = StressMain.run(full, new PrintStream(err, true, StandardCharsets.UTF_8), "--list");
            assertThat(status).isEqualTo(1);
        }
        assertThat(err.toString(StandardCharsets.UTF_8).lines())
                .containsExactly("percpu: the output could not be written");
    }

    /** Of what starts JVMs, each would say it again, with its stack traces. */
    @ParameterizedTest
    @ValueSource(strings = {"--soak", "--failures", "--jcstress"})
    void aBackEndThatCannotBeIsToldInOneLine(String mode) {
        Jvm.Result result = new Jvm()
                .with(System.getProperty("java.class.path"))
                .environment("GLIBC_TUNABLES", "glibc.pthread.rseq=0")
                .run(StressMain.class, mode, "--backend", "rseq");
        assertThat(result.output().lines())
                .singleElement(STRING)
                .startsWith("percpu: ")
                .contains("the C library registered no thread for restartable sequences");
        assertThat(result.status()).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"'', pool", "--failures, 'pool acquire, virtual'", "--faults, an update stores twice"})
    void whatOnlyChoosesFromIsListedAndNotTold(String mode, String name) {
        List<String> words = mode.isEmpty() ? List.of() : List.of(mode);
        assertThat(run(with(words, "--only", "pool,zork"))).isEqualTo(2);
        assertThat(run(with(words, "--list"))).isZero();
        assertThat(err.toString(StandardCharsets.UTF_8).lines())
                .containsExactly("percpu: --only knows no 'zork'; ./percpu stress" + (mode.isEmpty() ? "" : " " + mode)
                        + " --list prints what it knows (see ./percpu stress --help)");
        assertThat(out.toString(StandardCharsets.UTF_8).lines()).contains(name).hasSizeGreaterThan(10);
    }

    @Test
    void theListHasOnlyWhatIsChosen() {
        assertThat(run("--failures", "--list", "--only", "pool acquire,ref get"))
                .isZero();
        assertThat(out.toString(StandardCharsets.UTF_8).lines())
                .contains("pool acquire, checked", "ref get, hot")
                .allMatch(name -> name.startsWith("pool acquire") || name.startsWith("ref get"));
    }

    @Test
    void aRunOfFaultsThatIsEndedLeavesNoFilesAndNoProcesses(@TempDir Path directory) throws Exception {
        Path output = Files.createFile(directory.resolve("output"));
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djava.io.tmpdir=" + directory,
                        "-cp",
                        System.getProperty("java.class.path"),
                        StressMain.class.getName(),
                        "--faults",
                        "--only",
                        // In the header: what finds it is started soonest.
                        "a sequence of the header is never restarted")
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        Process run = Processes.withoutOptionsOfTheUser(builder).start();
        List<ProcessHandle> finders = List.of();
        while (finders.isEmpty() && run.isAlive()) {
            finders = run.descendants().toList();
            TimeUnit.MILLISECONDS.sleep(1);
        }

        run.destroy();

        assertThat(run.waitFor()).isEqualTo(128 + 15);
        for (ProcessHandle finder : finders) {
            finder.onExit().get(1, TimeUnit.MINUTES);
        }
        assertThat(output).isEmptyFile();
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).containsExactly(output);
        }
    }

    private static String[] with(List<String> words, String... more) {
        return Stream.concat(words.stream(), Stream.of(more)).toArray(String[]::new);
    }
}

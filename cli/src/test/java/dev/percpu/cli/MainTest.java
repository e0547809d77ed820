package dev.percpu.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MainTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
                    ""                  | Missing required subcommand (see ./percpu --help)
                    nonsense            | Unmatched argument at index 0: 'nonsense' (see ./percpu --help)
                    info --nonsense     | Unknown option: '--nonsense' (see ./percpu info --help)
                    bench --threads=0   | '0' is not a whole number from 1 to 2147483647 (see ./percpu bench --help)
                    bench --threads=two | 'two' is not a whole number from 1 to 2147483647 (see ./percpu bench --help)
                    top                 | Missing required parameter: 'PID' (see ./percpu top --help)
                    top here            | Invalid value for positional parameter at index 0 (PID): 'here' is not a long (see ./percpu top --help)
                    top 1 --interval=0  | the interval must be from 0.01 to 86400 seconds, not 0.0 (see ./percpu top --help)
                    top 1 --interval=90000 | the interval must be from 0.01 to 86400 seconds, not 90000.0 (see ./percpu top --help)
                    top 1 --interval=NaN | the interval must be from 0.01 to 86400 seconds, not NaN (see ./percpu top --help)
                    bench --only=(      | '(' is not a regular expression: Unclosed group (see ./percpu bench --help)
                    """)
    void aWrongCommandLineIsOneLineAndStatus2(String args, String message) {
        CommandRun run = CommandRun.of(args.isEmpty() ? new String[0] : args.split(" "));

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.errLines())
                .singleElement()
                .asString()
                .startsWith("percpu: ")
                .endsWith(message);
    }

    @ParameterizedTest
    @CsvSource({"--help", "demo --help", "info --help", "bench -h"})
    void helpGoesToStandardOutputWithoutColours(String args) {
        CommandRun run = CommandRun.of(args.split(" "));

        assertThat(run.status()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).startsWith("Usage: percpu").doesNotContain("\u001b");
    }

    @Test
    void controlCharactersOfAPathDoNotReachTheTerminal() {
        CommandRun run = CommandRun.of("demo", directory + "/red\u001b[31m\nname");

        assertThat(run.errLines())
                .containsExactly("percpu: " + directory + "/red?[31m?name cannot be read: it does not exist");
    }

    @Test
    void anUnexpectedErrorIsOneLine() {
        CommandRun run = CommandRun.of(
                console -> new DemoCommand(console, () -> {
                    throw new StackOverflowError("for example");
                }),
                "demo",
                directory.toString());

        assertThat(run.failure()).isEqualTo("percpu: unexpected error: java.lang.StackOverflowError: for example");
    }

    /** Runs the command in a JVM of its own. */
    private Process start(ProcessBuilder.Redirect out, List<String> options, String... args) throws IOException {
        return CommandJvm.start(Main.class, out, errors(), options, args);
    }

    private Path errors() {
        return directory.resolve("errors");
    }

    @Tag("once")
    @ParameterizedTest
    @CsvSource({"info", "demo", "info --self-test"})
    void aBackEndThatCannotBeIsOneLine(String args) throws Exception {
        Process process = start(ProcessBuilder.Redirect.PIPE, List.of("-Dpercpu.backend=nonsense"), args.split(" "));

        assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEmpty();
        assertThat(process.waitFor()).isEqualTo(1);
        assertThat(Files.readAllLines(errors()))
                .singleElement()
                .asString()
                .startsWith("percpu: percpu.backend must be rseq or atomic, not 'nonsense'");
    }

    @Tag("once")
    @Test
    void outputThatCannotBeWrittenIsOneLine() throws Exception {
        Process process = start(ProcessBuilder.Redirect.to(new File("/dev/full")), List.of(), "info");

        assertThat(process.waitFor()).isEqualTo(1);
        assertThat(Files.readAllLines(errors())).containsExactly("percpu: the output could not be written");
    }
}

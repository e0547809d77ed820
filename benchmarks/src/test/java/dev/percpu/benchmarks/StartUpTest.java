package dev.percpu.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is measured, and what is left of a measurement that a signal ends. */
@Tag("once")
class StartUpTest {
    /** Each checks itself what it did. */
    @ParameterizedTest
    @EnumSource
    void eachKindIsAFirstUse(StartUp.Kind kind) throws Throwable {
        FirstUse.main(kind.arguments().toArray(String[]::new));
    }

    @Test
    void aSignalLeavesNoProcessAndNoFile(@TempDir Path temporary) throws Exception {
        Process measuring = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djava.io.tmpdir=" + temporary,
                        "-cp",
                        System.getProperty("java.class.path"),
                        BenchmarksMain.class.getName(),
                        "--curves",
                        StartUp.CHART)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        Optional<ProcessHandle> child = Optional.empty();
        while (child.isEmpty() && measuring.isAlive()) {
            Thread.sleep(1);
            child = measuring.children().findAny();
        }
        assertThat(child).isPresent();
        assertThat(temporary).isNotEmptyDirectory();

        measuring.destroy();

        assertThat(measuring.waitFor()).isEqualTo(143);
        // The kernel may take a moment until it knows.
        assertThat(child.orElseThrow().onExit()).succeedsWithin(Duration.ofMinutes(1));
        assertThat(temporary).isEmptyDirectory();
    }
}

package dev.percpu.sample;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.cli.CommandJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DriverSampleTest {
    private static final Path NATIVE = Path.of("..", "native");

    /** In the build's own directory, as the library stays loaded. */
    private static final Path LIBRARY = Path.of("target", "driver.so").toAbsolutePath();

    @BeforeAll
    static void compile() throws IOException, InterruptedException {
        Process compiler = new ProcessBuilder(
                        "gcc",
                        "-O2",
                        "-Wall",
                        "-Wextra",
                        "-Werror",
                        "-shared",
                        "-fPIC",
                        "-pthread",
                        "-I" + NATIVE.resolve("include"),
                        "-o",
                        LIBRARY.toString(),
                        NATIVE.resolve("src/sample/c/driver.c").toString())
                .redirectErrorStream(true)
                .start();
        String messages = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(compiler.waitFor()).as(messages).isZero();
    }

    @Test
    void javaAndTheDriverCountTogether() {
        List<String> steps = new ArrayList<>();

        DriverSample.run(LIBRARY, steps::add);

        assertThat(steps)
                .extracting(step -> step.substring(0, step.indexOf(':')))
                .containsExactly("driver", "java", "together", "guarded");
    }

    @Tag("once")
    @Test
    void aBackEndThatCannotBeIsOneLine(@TempDir Path directory) throws IOException, InterruptedException {
        Path errors = directory.resolve("errors");

        Process process = CommandJvm.start(
                DriverSample.class,
                ProcessBuilder.Redirect.DISCARD,
                errors,
                List.of("-Dpercpu.backend=nonsense"),
                LIBRARY.toString());

        assertThat(process.waitFor()).isEqualTo(1);
        assertThat(Files.readAllLines(errors))
                .singleElement()
                .asString()
                .startsWith("percpu: percpu.backend must be rseq or atomic, not 'nonsense'");
    }
}

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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
    void measuresWithOneAndTwoThreadsAndPrintsATable() throws Exception {
        installFakeJmh();
        Path json = home.resolve("results.json");

        CommandRun run = CommandRun.of("bench", "--quick", "--only", "Add", "--json", json.toString());

        assertThat(run.status()).isZero();
        assertThat(run.out().lines())
                .startsWith(
                        "Back end " + System.getProperty("percpu.backend"),
                        "",
                        "AddBenchmark  threads  ns/op     ±  B/op  best peer  to floor",
                        "  perCpuAdd         1   3.00  0.50             none",
                        "  perCpuAdd         2   3.00  0.50             none");
        assertThat(run.err())
                .contains("-t, 1,", "-t, 2,", "-f, 1,", "-prof, gc,", "Add]")
                .contains("backend: " + System.getProperty("percpu.backend"));
        assertThat(JsonParser.parseString(Files.readString(json))
                        .getAsJsonArray()
                        .asList())
                .extracting(JsonElement::getAsJsonObject)
                .extracting(result -> result.get("threads").getAsInt())
                .containsExactly(1, 2);
    }

    @Test
    void measuresWithTheThreadsAskedFor() throws Exception {
        installFakeJmh();

        CommandRun run = CommandRun.of("bench", "--threads", "3");

        assertThat(run.status()).isZero();
        assertThat(run.err().lines())
                .singleElement()
                .asString()
                .contains("-t, 3,")
                .doesNotContain("-f, 1,");
    }

    @Test
    void nothingToMeasureIsAnError() throws Exception {
        installFakeJmh();

        CommandRun run = CommandRun.of("bench", "--only", "Nothing");

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err().lines()).containsExactly("percpu: no benchmark has \"Nothing\" in its name");
    }

    @Test
    void aFailureOfJmhIsAnError() throws Exception {
        installFakeJmh();

        CommandRun run = CommandRun.of("bench", "--only", FakeJmh.FAILING);

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).last().isEqualTo("percpu: JMH ended with status 1; its output tells why");
    }

    @Test
    void aMissingJarIsAnError() {
        CommandRun run = CommandRun.of("bench");

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err().lines()).singleElement().asString().startsWith("percpu: the benchmarks are not built");
    }

    @Test
    void aResultFileThatCannotBeWrittenIsAnErrorBeforeMeasuring() throws Exception {
        installFakeJmh();
        String file = home.resolve("no-such-directory/results.json").toString();

        CommandRun run = CommandRun.of("bench", "--json", file);

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err().lines()).containsExactly("percpu: " + file + " cannot be written");
    }
}

package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.testing.Workers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The example in the section "An example" of the README, which must be the same as here, and must work. */
class ReadmeExampleTest {
    // begin
    static final PerCpuCounter REQUESTS = new PerCpuCounter();

    static final StaticPerCpu<Slowest> SLOWEST = StaticPerCpu.define("slowest", Slowest::new);

    static void handled(String path, long nanos) {
        REQUESTS.increment();
        SLOWEST.run(slowest -> slowest.record(path, nanos));
    }

    static String report() {
        Slowest overall = new Slowest();
        SLOWEST.forEachCpu((cpu, slowest) -> overall.record(slowest.path, slowest.nanos));
        return REQUESTS.sum() + " requests, the slowest " + overall.path + " in " + overall.nanos + " ns";
    }

    /** Two fields that must agree. Each CPU has one of these. */
    static final class Slowest {
        private String path = "";
        private long nanos = -1;

        void record(String otherPath, long otherNanos) {
            if (otherNanos > nanos) {
                path = otherPath;
                nanos = otherNanos;
            }
        }
    }
    // end

    @Test
    void works() throws InterruptedException {
        Workers.run("server-", 4, number -> {
            for (int i = 0; i < 1000; i++) {
                handled("/" + number, number * 1000 + i);
            }
        });
        assertThat(report()).isEqualTo("4000 requests, the slowest /3 in 3999 ns");
    }

    @Test
    @Tag("tools")
    void isTheOneInTheReadme() throws IOException {
        String source = Files.readString(Path.of("src/test/java/dev/percpu/ReadmeExampleTest.java"));
        String example = source.substring(source.indexOf("    // begin\n") + 13, source.indexOf("    // end\n"));
        String unindented = example.lines()
                .map(line -> line.isEmpty() ? line : line.substring(4))
                .collect(Collectors.joining("\n"));
        assertThat(Files.readString(Path.of("../README.md"))).contains("```java\n" + unindented + "\n```");
    }
}

package dev.percpu.benchmarks.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;

class ChildTest {
    /** Without them, a JVM would measure another back end than the one that was chosen. */
    @Test
    void aJvmHasTheOptionsOfTheOneThatStartsIt() throws Exception {
        List<String> options = ManagementFactory.getRuntimeMXBean().getInputArguments();
        assertThat(options).isNotEmpty();

        assertThat(Child.java(List.of("-Dmore=1"), Options.class, List.of("argument"))
                        .lines())
                .containsSubsequence(options)
                .endsWith("-Dmore=1", "argument");
    }

    @Test
    void aCommandThatFailsIsAnError() {
        assertThatThrownBy(() -> Child.output(List.of("sh", "-c", "echo half of it; exit 3")))
                .isInstanceOf(IOException.class)
                .hasMessage("sh -c echo half of it; exit 3 ended with status 3: half of it\n");
    }

    /** Prints how its JVM was started. */
    static final class Options {
        private Options() {}

        public static void main(String[] args) {
            ManagementFactory.getRuntimeMXBean().getInputArguments().forEach(System.out::println);
            for (String argument : args) {
                System.out.println(argument);
            }
        }
    }
}

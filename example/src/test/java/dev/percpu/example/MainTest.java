package dev.percpu.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command in a JVM of its own, where it cannot run. */
class MainTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            -Dpercpu.backend=nonsense | --port=0     | 1 | percpu: percpu.backend must be rseq or atomic, not 'nonsense'
            -Dpercpu.backend=atomic   | --port=65536 | 2 | --port 65536 is no port: one is from 0 to 65535
            """)
    void whatCannotBeIsTold(String option, String argument, int status, String message) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add(option);
        command.addAll(List.of("-cp", classPath(), Main.class.getName(), argument));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        // The JVM would say that it has found options there.
        builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"));

        Process process = builder.start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor()).as(printed).isEqualTo(status);
        assertThat(printed).startsWith(message).doesNotContain("\tat ");
    }

    private static String classPath() {
        return Stream.of("jdk.module.path", "java.class.path")
                .map(name -> System.getProperty(name, ""))
                .filter(path -> !path.isEmpty())
                .collect(Collectors.joining(File.pathSeparator));
    }
}

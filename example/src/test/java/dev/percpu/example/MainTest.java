package dev.percpu.example;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Jvm;
import java.io.File;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command in a JVM of its own, where it cannot run. */
class MainTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            -Dpercpu.backend=nonsense | --port=0     | 1 | percpu: percpu.backend must be rseq or atomic, not 'nonsense'
            -Dpercpu.backend=atomic   | --port=65536 | 2 | percpu: the port must be from 0 to 65535, not 65536 (see ./percpu example --help)
            -Dpercpu.backend=atomic   | --nonsense   | 2 | percpu: Unknown option: '--nonsense' (see ./percpu example --help)
            """)
    void whatCannotBeIsTold(String option, String argument, int status, String message) {
        Jvm.Result result = new Jvm().option(option).with(classPath()).run(Main.class, argument);

        assertThat(result.status()).as(result.output()).isEqualTo(status);
        assertThat(result.output().lines()).singleElement().asString().startsWith(message);
    }

    private static String classPath() {
        return Stream.of("jdk.module.path", "java.class.path")
                .map(name -> System.getProperty(name, ""))
                .filter(path -> !path.isEmpty())
                .collect(Collectors.joining(File.pathSeparator));
    }
}

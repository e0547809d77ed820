package dev.percpu.nativecode;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.linux.Architecture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The header is written for each architecture that the library's Java part knows, and for no other. */
@Tag("header")
class ArchitecturesTest {
    private static final Path PARTS = Path.of("include", "percpu");

    private static final Pattern INCLUDED = Pattern.compile("#include \"percpu/(\\w+)\\.h\"");
    private static final Pattern ASKED_FOR = Pattern.compile("defined\\(__(\\w+)__\\)");

    static Stream<Architecture> architectures() {
        return Arrays.stream(Architecture.values()).filter(architecture -> architecture != Architecture.OTHER);
    }

    private static Set<String> names() {
        return architectures()
                .map(architecture -> architecture.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.toSet());
    }

    @Test
    void eachHasItsFileWhichTheHeaderIncludes() throws IOException {
        String switches = Files.readString(PARTS.resolve("architecture.h"));
        assertThat(found(INCLUDED, switches)).isEqualTo(names());
        assertThat(found(ASKED_FOR, switches)).isEqualTo(names());
        for (String name : names()) {
            assertThat(PARTS.resolve(name + ".h")).isRegularFile();
        }
    }

    @Test
    void theTestsHaveDelaysForEach() throws IOException {
        assertThat(found(ASKED_FOR, Files.readString(Path.of("src", "test", "c", "pauses.h"))))
                .isEqualTo(names());
    }

    /** What can be said of another architecture than this machine's without a machine of it. */
    @ParameterizedTest
    @MethodSource("architectures")
    void theProgramsCompileForEach(Architecture architecture) {
        Compiler compiler = Compiler.gccFor(architecture);
        assertThat(compiler.program("operations-" + architecture, "operations.c", "-O2"))
                .isNotEmptyFile();
        String[] delayed = {"-O2", "-D_GNU_SOURCE", "-DPAUSE=200"};
        assertThat(compiler.program("exactness-" + architecture, "exactness.c", delayed))
                .isNotEmptyFile();
    }

    private static Set<String> found(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map((MatchResult match) -> match.group(1))
                .collect(Collectors.toSet());
    }
}

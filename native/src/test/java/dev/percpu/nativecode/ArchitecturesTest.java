package dev.percpu.nativecode;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.linux.Architecture;
import dev.percpu.internal.linux.KernelVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The header is written for each architecture that the library's Java part knows, and for no other. */
@Tag("header")
@Execution(ExecutionMode.CONCURRENT)
class ArchitecturesTest {
    private static final Path PARTS = Path.of("include", "percpu");

    private static final Pattern INCLUDED = Pattern.compile("#include \"percpu/(\\w+)\\.h\"");
    private static final Pattern ASKED_FOR = Pattern.compile("defined\\(__(\\w+)__\\)");

    private static final Pattern LOSES_ABORTS =
            Pattern.compile("PERCPU_LOSES_ABORTS\\(version\\) \\(\\(version\\) >= (\\d+) && \\(version\\) < (\\d+)\\)");

    private static final Pattern INSTRUCTION = Pattern.compile("(?m)^\\s+([a-z]\\w*)");

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

    /** Release candidates are in {@code HeaderTest}. */
    @ParameterizedTest
    @MethodSource("architectures")
    void javaSuspectsTheSameKernelsOfIt(Architecture architecture) throws IOException {
        Path part = PARTS.resolve(architecture.name().toLowerCase(Locale.ROOT) + ".h");
        MatchResult bounds = LOSES_ABORTS
                .matcher(Files.readString(part))
                .results()
                .findFirst()
                .orElseThrow();
        int first = Integer.parseInt(bounds.group(1));
        int fixed = Integer.parseInt(bounds.group(2));
        for (int version : List.of(first - 1, first, fixed - 1, fixed)) {
            String release = version / 1_000_000 + "." + version / 1_000 % 1_000 + "." + version % 1_000;
            assertThat(KernelVersion.parse(release).isSuspect(architecture))
                    .as(release)
                    .isEqualTo(version >= first && version < fixed);
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

    /** GCC has C23's null pointer from 13 on. An older one compiles the rest. */
    @ParameterizedTest
    @MethodSource("architectures")
    void theProgramsCompileAsTheNextC(Architecture architecture) {
        Compiler compiler = new Compiler(Compiler.gccFor(architecture).command(), List.of("-std=c2x"));
        assertThat(compiler.program("next-" + architecture, "operations.c", "-O0"))
                .isNotEmptyFile();
    }

    /**
     * The linker may choose a file's copy of the header's functions although it is the only file that is compiled for
     * processors that not everyone has.
     */
    @ParameterizedTest
    @MethodSource("architectures")
    void theFunctionsOfTheHeaderAreForAllProcessors(Architecture architecture) throws IOException {
        List<String> newest = switch (architecture) {
            case X86_64 -> List.of("-march=x86-64-v4");
            case AARCH64 -> List.of("-march=armv8.2-a+sve", "-march=armv8.8-a");
            case OTHER -> throw new AssertionError();
        };
        // As distributors compile. Newer processors have an instruction that checks an address and returns.
        String checked = switch (architecture) {
            case X86_64 -> "-fcf-protection";
            case AARCH64 -> "-mbranch-protection=standard";
            case OTHER -> throw new AssertionError();
        };
        List<Compiler> compilers = architecture == Architecture.current()
                ? List.of(Compiler.GCC, Compiler.CLANG, Compiler.GXX, Compiler.CLANGXX)
                : List.of(Compiler.gccFor(architecture), Compiler.clangFor(architecture));
        for (Compiler compiler : compilers) {
            Set<String> ofAll = found(INSTRUCTION, assembly(compiler, "unused.c", architecture, checked));
            // An older processor takes this one for a hint, and passes over it.
            ofAll.add("bti");
            for (String processor : newest) {
                assertThat(found(INSTRUCTION, assembly(compiler, "unused.c", architecture, checked, processor)))
                        .hasSizeGreaterThan(20)
                        .isSubsetOf(ofAll);
            }
        }
    }

    /** A user-level thread can go on in another thread of the kernel, in the middle of a function. */
    @ParameterizedTest
    @MethodSource("architectures")
    void eachSequenceAsksWhichThreadRuns(Architecture architecture) throws IOException {
        String asks = switch (architecture) {
            case X86_64 -> "%fs:8(";
            case AARCH64 -> "tpidr_el0";
            case OTHER -> throw new AssertionError();
        };
        String all = assembly(Compiler.gccFor(architecture), "other.c", architecture);
        String two = all.substring(all.indexOf("update_in_other:"), all.indexOf(".size\tupdate_in_other"));
        assertThat(two.split(Pattern.quote(asks), -1)).hasSize(3);
    }

    /** What an optimizing compiler makes of a file. */
    private static String assembly(Compiler compiler, String source, Architecture architecture, String... options)
            throws IOException {
        String[] all = Stream.concat(Stream.of(options), Stream.of("-O3", "-S", "-D_FORTIFY_SOURCE=2"))
                .toArray(String[]::new);
        return Files.readString(compiler.object(architecture + "-" + source, source, all));
    }

    private static Set<String> found(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map((MatchResult match) -> match.group(1))
                .collect(Collectors.toSet());
    }
}

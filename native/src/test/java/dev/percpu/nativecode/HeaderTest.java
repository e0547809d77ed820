package dev.percpu.nativecode;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.internal.linux.Architecture;
import dev.percpu.internal.linux.KernelVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The header without a JVM in the process: with each compiler, in both languages, and under the sanitizers. */
@Tag("header")
@Execution(ExecutionMode.CONCURRENT)
class HeaderTest {
    private static final Map<String, String> REGISTERED = Map.of();

    /** As where the C library registers no thread for sequences. */
    private static final Map<String, String> UNREGISTERED = Map.of("GLIBC_TUNABLES", "glibc.pthread.rseq=0");

    private static final String SANITIZE = "-fsanitize=address,undefined";

    private static final List<String> ARITHMETIC =
            List.of("this_cpu_add", "this_cpu_sub", "this_cpu_and", "this_cpu_or", "this_cpu_add_return");

    private static final Pattern ABORTS = Pattern.compile("(\\d+) aborts");

    static Stream<Arguments> compilers() {
        return Stream.of(
                Arguments.of(Compiler.GCC, "-O2"),
                Arguments.of(Compiler.GCC, "-O0"),
                Arguments.of(Compiler.CLANG, "-O2"),
                Arguments.of(Compiler.CLANG, "-O0"),
                Arguments.of(Compiler.GXX, "-O2"),
                Arguments.of(Compiler.CLANGXX, "-O2"));
    }

    @ParameterizedTest
    @MethodSource("compilers")
    void everyOperationDoesWhatItSays(Compiler compiler, String level) {
        Path program = compiler.program("operations", "operations.c", level, "-DPERCPU_CHECK");
        assertThat(run(program, REGISTERED)).isEqualTo("sequences: ok\n");
        assertThat(run(program, UNREGISTERED)).isEqualTo("atomics: ok\n");
    }

    @Test
    void aLoopOverTheCpusTakesAVariableOfAnyIntegerType() {
        for (Compiler compiler : List.of(Compiler.GCC, Compiler.CLANG, Compiler.GXX, Compiler.CLANGXX)) {
            assertThat(run(compiler.program("loops", "loops.c"), REGISTERED)).isEqualTo("ok\n");
        }
    }

    private static boolean isSuspectToJava(String release) {
        return KernelVersion.parse(release).isSuspect(Architecture.current());
    }

    @Test
    void noSequencesWhereTheKernelLosesAborts() {
        Path program =
                Compiler.GCC.program("releases", "operations.c", "-O2", "-DPERCPU_TEST_RELEASE=getenv(\"RELEASE\")");
        // 7.1 has the fix from its third candidate on.
        List<String> losing = List.of(
                "6.19.0-cloud-amd64",
                "6.19-rc1",
                "7.0.3",
                "7.1-rc1",
                "7.1.0-rc7",
                "7.1.0-0.rc2.20.fc45",
                "7.1.0-070100rc2-generic");
        for (String release : losing) {
            assertThat(run(program, Map.of("RELEASE", release))).isEqualTo("atomics: ok\n");
        }
        List<String> keeping =
                List.of("6.18.44+deb13-amd64", "7.0.14", "7.1.0-arch1-1", "7.1.1-rc1", "7.2.0-rc1", "7.3-rc1");
        for (String release : keeping) {
            assertThat(run(program, Map.of("RELEASE", release))).isEqualTo("sequences: ok\n");
        }
        assertThat(losing).allMatch(HeaderTest::isSuspectToJava);
        assertThat(keeping).noneMatch(HeaderTest::isSuspectToJava);
        // Java's self-test finds out.
        assertThat(run(program, Map.of("RELEASE", "unknown"))).isEqualTo("sequences: ok\n");
    }

    @Test
    void noSignalIsHandledWhereItsHandlerWouldGoWrong() {
        Path program = program("handlers");
        assertThat(run(program, REGISTERED)).isEqualTo("ok\n");
    }

    @Test
    void theSignalsOfFaultsStayAsTheProgramHasThem() {
        assertOk("signals");
    }

    @Test
    void aReportNeitherWaitsForTheLockOfStderrNorEndsACancelledThread() {
        assertTakenOver("report");
    }

    @Test
    void aWaitThatTakesLongIsReportedAlthoughTheThreadIsMoved() {
        Path program = program("waits");
        assertThat(List.of(Compiler.run(program, REGISTERED), Compiler.run(program, UNREGISTERED)))
                .allSatisfy(output -> assertThat(output)
                        .contains("has been held for over 2 s by thread")
                        .endsWith("ok\n"));
    }

    @Test
    void aThreadThatIsMovedNestsInTheGuardThatItHolds() {
        assertOk("moved");
    }

    @Test
    void aGuardIsNotLeftToWhoeverGetsTheIdOfItsDeadOwner() {
        assertTakenOver("reused");
    }

    @Test
    void aGuardThatTheFirstThreadOfTheProcessLeftIsTakenOver() {
        assertTakenOver("first");
    }

    @Test
    void aUserLevelThreadMayGoOnInAnotherThreadOfTheKernel() {
        assertOk("fibers");
    }

    @Test
    void aMoveGivesUpIfAnOperationNeverEnds() {
        assertOk("left");
    }

    private static void assertOk(String name) {
        assertThat(outputs(name)).allSatisfy(output -> assertThat(output).isEqualTo("ok\n"));
    }

    private static void assertTakenOver(String name) {
        assertThat(outputs(name))
                .allSatisfy(output -> assertThat(output).contains("taken over").contains("ok\n"));
    }

    /** What a program prints where its threads are registered for restartable sequences, and where they are not. */
    private static List<String> outputs(String name) {
        Path program = program(name);
        return List.of(run(program, REGISTERED), run(program, UNREGISTERED));
    }

    private static Path program(String name) {
        return Compiler.GCC.program(name, name + ".c", "-O2", "-D_GNU_SOURCE");
    }

    /** What a program prints, without reports of long waits: an owner may lose its CPU to others for two seconds. */
    private static String run(Path program, Map<String, String> environment, Object... arguments) {
        return Compiler.run(program, environment, arguments).replaceAll("(?m)^percpu: .* for over 2 s .*\n", "");
    }

    /** LLD removes an unused section although symbols name its ends; GNU's linker keeps it. */
    @Test
    void aProgramWithoutVariablesLinksWithLldToo() {
        for (String level : List.of("-O0", "-O2")) {
            Path program = Compiler.CLANG.program("unused", "unused.c", level, "-fuse-ld=lld", "-Wl,--gc-sections");
            assertThat(run(program, REGISTERED)).isEmpty();
        }
    }

    @Test
    void everyOperationWithoutSequences() {
        for (Compiler compiler : List.of(Compiler.GCC, Compiler.CLANGXX)) {
            Path program = compiler.program("no-sequences", "operations.c", "-O2", "-DPERCPU_NO_RSEQ");
            assertThat(run(program, REGISTERED)).isEqualTo("atomics: ok\n");
        }
    }

    @Test
    void nothingIsLostUnderPreemptionMigrationAndSignals() {
        for (Compiler compiler : List.of(Compiler.GCC, Compiler.CLANG)) {
            Path program = exactness(compiler, "exactness", "-O2");
            assertThat(run(program, REGISTERED, 1_000_000)).startsWith("sequences: ok");
            assertThat(run(program, UNREGISTERED, 10_000)).startsWith("atomics: ok");
        }
    }

    /** Short delays for many aborts, long ones for aborts of what was aborted before. */
    @Test
    void nothingIsLostWithDelaysInsideTheSequences() {
        Path shortDelays = exactness(Compiler.GCC, "delays", "-O2", "-DPAUSE=200");
        Path longDelays = exactness(Compiler.CLANG, "long-delays", "-O2", "-DPAUSE=20000");
        long aborts = 0;
        // Until enough of them were hit; how many are, in one run, depends on what else the machine does.
        while (aborts < 2_000) {
            aborts += abortsOf(run(shortDelays, REGISTERED, 5_000));
            aborts += abortsOf(run(longDelays, REGISTERED, 100));
            // With nothing between the guards, there is always a thread that is about to acquire one.
            aborts += abortsOf(run(longDelays, REGISTERED, 500, "guards"));
        }
    }

    /** With long delays nearly every thread is in the middle of something when the variables move. */
    @Test
    void nothingIsLostWhenTheVariablesMoveMeanwhile() {
        Path program = exactness(Compiler.GCC, "moving", "-O2", "-DMOVE");
        Path delayed = exactness(Compiler.CLANG, "moving-delayed", "-O2", "-DMOVE", "-DPAUSE=20000");
        for (int i = 0; i < 5; i++) {
            assertThat(run(program, REGISTERED, 20_000)).startsWith("sequences: ok");
            assertThat(run(program, UNREGISTERED, 3_000)).startsWith("atomics: ok");
            assertThat(run(delayed, REGISTERED, 100)).startsWith("sequences: ok");
        }
    }

    @Test
    void nothingIsLostThatIsInTheMiddleOfASequenceWhenTheVariablesMove() {
        Path program = Compiler.GCC.program("move", "move.c", "-O2", "-D_GNU_SOURCE", "-DPAUSE=200000");
        assertThat(run(program, REGISTERED, 100)).isEqualTo("moved 100 times: ok\n");
        assertThat(run(program, UNREGISTERED, 20)).isEqualTo("moved 20 times: ok\n");
    }

    @Test
    void twoCopiesOfPercpuThatDeclareAtTheSameTimeMoveTheVariablesOneAfterTheOther() {
        assertOk("movers");
    }

    /** Without sequences threads are nearly always in the middle of what others have to wait for. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "another",
                "java",
                "own",
                "about-to-move",
                "move-begins",
                "move-looks",
                "fork-begins",
                "move-gave-up",
                "updates",
                "handler"
            })
    void aForkLeavesTheChildUsable(String scenario) {
        Path program = Compiler.GCC.program("fork-" + scenario, "fork.c", "-O2", "-D_GNU_SOURCE");
        assertThat(run(program, REGISTERED, scenario)).isEqualTo("ok\n");
        assertThat(run(program, UNREGISTERED, scenario)).isEqualTo("ok\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "guard-after-lost-registration",
                "move-after-lost-registration",
                "move-without-membarrier",
                "try-without-membarrier",
                "try-without-memory",
                "try-while-placing",
                "fork-without-memory",
                "fork-without-memory-while-moving"
            })
    void whatTheKernelRefusesIsAskedForAgainOrReturnedAsAnError(String scenario) {
        assertThat(run(program("syscalls"), REGISTERED, scenario)).isEqualTo("ok\n");
    }

    @Test
    void aRefusalThatCannotBeReturnedEndsTheProgramWithAMessage() {
        assertThatThrownBy(() -> run(program("syscalls"), REGISTERED, "acquire-without-membarrier"))
                .hasMessageContaining(
                        "the kernel refuses membarrier, without which another CPU's guard cannot be taken");
    }

    @Test
    void theSanitizersFindNothing() {
        Path operations = Compiler.GCC.program("operations-sanitized", "operations.c", SANITIZE, "-g", "-O1");
        assertThat(run(operations, REGISTERED)).isEqualTo("sequences: ok\n");
        Path initialized =
                Compiler.CLANG.program("operations-memory", "operations.c", "-fsanitize=memory", "-g", "-O1");
        assertThat(run(initialized, REGISTERED)).isEqualTo("sequences: ok\n");
        for (Compiler compiler : List.of(Compiler.GCC, Compiler.CLANG)) {
            Path moving = exactness(compiler, "moving-sanitized", SANITIZE, "-g", "-O1", "-DMOVE");
            assertThat(run(moving, REGISTERED, 10_000)).startsWith("sequences: ok");
        }
    }

    /** It does not see what a sequence loads and stores. So the header has to tell it who holds a guard. */
    @Test
    void theThreadSanitizerFindsNothing() {
        for (Compiler compiler : List.of(Compiler.GCC, Compiler.CLANG)) {
            Path moving = exactness(compiler, "moving-threads", "-fsanitize=thread", "-g", "-O1", "-DMOVE");
            assertThat(run(moving, REGISTERED, 3_000)).startsWith("sequences: ok");
            Path looking = exactness(compiler, "threads", "-fsanitize=thread", "-g", "-O1");
            assertThat(run(looking, REGISTERED, 3_000)).startsWith("sequences: ok");
        }
    }

    /** As in somebody else's build, where the header is one file among others. */
    @Test
    void aFileWithManyWarningsAndMacrosOfItsOwnCompiles() {
        List<String> warnings = List.of(
                "-Wconversion",
                "-Wsign-conversion",
                "-Wshadow",
                "-Wcast-qual",
                "-Wcast-align",
                "-Wundef",
                "-Wformat=2",
                "-Wpointer-arith",
                "-Wwrite-strings",
                "-Wmissing-declarations",
                "-Wredundant-decls");
        List<String> ofC =
                List.of("-Wmissing-prototypes", "-Wstrict-prototypes", "-Wold-style-definition", "-Wbad-function-cast");
        // GCC has the first of these for C only, and from 14 on the second one too.
        List<String> ofClang = List.of("-Wmissing-prototypes", "-Wmissing-variable-declarations");
        assertCompilesWith(Compiler.GCC, Stream.concat(warnings.stream(), ofC.stream()));
        assertCompilesWith(Compiler.CLANG, Stream.of(warnings, ofC, ofClang).flatMap(List::stream));
        assertCompilesWith(Compiler.GXX, warnings.stream());
        assertCompilesWith(Compiler.CLANGXX, Stream.concat(warnings.stream(), ofClang.stream()));
    }

    private static void assertCompilesWith(Compiler compiler, Stream<String> warnings) {
        Path program = compiler.program("strict", "strict.c", warnings.toArray(String[]::new));
        assertThat(run(program, REGISTERED)).isEmpty();
    }

    @Test
    void allFilesOfAProgramHaveTheSameVariablesAndGuards() {
        for (Compiler compiler : List.of(Compiler.GCC, Compiler.CLANG, Compiler.GXX, Compiler.CLANGXX)) {
            for (String level : List.of("-O0", "-O2")) {
                Path program = compiler.program("files", "files.c", level, "src/test/c/other.c");
                assertThat(run(program, REGISTERED)).isEqualTo("ok\n");
            }
        }
    }

    /** Several files may then be one before they are assembled. */
    @Test
    void soTheyHaveWithLinkTimeOptimization() {
        for (Compiler compiler : List.of(Compiler.GCC, Compiler.CLANG)) {
            Path program = compiler.program(
                    "optimized", "files.c", "-O2", "-flto", "-fuse-ld=" + linker(compiler), "src/test/c/other.c");
            assertThat(run(program, REGISTERED)).isEqualTo("ok\n");
        }
    }

    /** GNU's linker cannot read the code that Clang leaves for it. */
    private static String linker(Compiler compiler) {
        return compiler.equals(Compiler.CLANG) ? "lld" : "bfd";
    }

    @Test
    void soTheyHaveIfTheyAreOfSeveralCompilersAndLanguages() {
        List<Compiler> compilers = List.of(Compiler.GCC, Compiler.CLANG, Compiler.GXX, Compiler.CLANGXX);
        for (int i = 0; i < compilers.size(); i++) {
            Path other = compilers.get(i).object("other-" + i, "other.c", "-O2");
            Path program = compilers.get((i + 1) % compilers.size()).program("mixed", "files.c", List.of(other), "-O2");
            assertThat(run(program, REGISTERED)).isEqualTo("ok\n");
        }
    }

    /** What the files share is that of one of them. */
    @Test
    void filesWithDifferentHeadersEndTheProgramAtItsStart() throws IOException {
        Path next = Files.writeString(
                Files.createDirectories(Compiler.OUTPUT).resolve("next.h"),
                Files.readString(Compiler.HEADER.resolve("percpu.h"))
                        .replace("#define PERCPU_VERSION ", "#define PERCPU_VERSION 1000"));
        for (List<String> different : List.of(
                List.of("-include", next.toString()),
                List.of("-include", otherText().toString()),
                List.of("-DPERCPU_NO_RSEQ"))) {
            Path other = Compiler.GCC.object("different", "other.c", different.toArray(String[]::new));
            Path program = Compiler.GCC.program("different", "files.c", List.of(other));
            assertThatThrownBy(() -> run(program, REGISTERED))
                    .hasMessageContaining(
                            "its files include different versions of percpu.h, or only some are compiled with PERCPU_NO_RSEQ");
        }
    }

    /** The header of a tree in which a function is another one, and the version is the same. */
    private static Path otherText() throws IOException {
        Path tree = Compiler.OUTPUT.resolve("other-text");
        Path parts = Files.createDirectories(tree.resolve("include/percpu"));
        Files.copy(Path.of("assemble"), tree.resolve("assemble"), REPLACE_EXISTING);
        Files.copy(Path.of("include/percpu.h"), tree.resolve("include/percpu.h"), REPLACE_EXISTING);
        try (Stream<Path> files = Files.list(Path.of("include/percpu"))) {
            for (Path file : files.toList()) {
                Files.writeString(
                        parts.resolve(file.getFileName()),
                        Files.readString(file).replace("round < 32", "round < 33"));
            }
        }
        Path header = tree.resolve("percpu.h");
        Compiler.run(List.of(tree.resolve("assemble").toString(), header.toString()), Map.of());
        return header;
    }

    @Test
    void aVariableOfAnotherLibraryDoesNotLink() {
        for (Compiler compiler : List.of(Compiler.GCC, Compiler.CLANG)) {
            assertThatThrownBy(() -> compiler.library("declares", "other.c")).hasMessageContaining("of_both");
        }
    }

    @Test
    void whatCannotBeIsRefusedByTheCompiler() throws IOException {
        for (Compiler compiler : List.of(Compiler.GCC, Compiler.CLANGXX)) {
            assertThatThrownBy(() -> compiler.program("refused", "refused.c", "-DON_DOUBLE"))
                    .hasMessageContaining("an operation is on integers and pointers");
            assertThatThrownBy(() -> compiler.program("refused", "refused.c", "-DON_WIDE"))
                    .hasMessageContaining("an operation is on 1, 2, 4 or 8 bytes");
            assertThatThrownBy(() -> compiler.program("refused", "refused.c", "-DON_ALIGNED"))
                    .hasMessageContaining("the alignment of a per-CPU variable must be at most 4096 bytes");
            assertThatThrownBy(() -> compiler.program("refused", "refused.c", "-DON_BRACKETS"))
                    .hasMessageContaining("error: expected");
            assertThatThrownBy(() -> compiler.program("refused", "refused.c", "-DON_STATIC"))
                    .hasMessageContaining("DEFINE_STATIC_PER_CPU");
            assertThatThrownBy(() -> compiler.program("refused", "refused.c", "-DON_CONST"))
                    .hasMessageContaining("a per-CPU variable must not be const");
            assertThatThrownBy(() -> compiler.program("refused", "refused.c", "-DON_POINTER_TO_CONST"))
                    .hasMessageContaining("an operation does not change a const");
            assertRefusesEach(
                    compiler,
                    "a bool can only be read, written and exchanged",
                    ARITHMETIC.stream()
                            .map(operation -> operation + "(a_bool, true)")
                            .toList());
            for (String type : List.of("uint8_t", "signed char", "bool")) {
                assertThatThrownBy(() -> compiler.program("refused", "refused.c", "-DON_BYTE=" + type))
                        .hasMessageContaining("8 bits are too few for the id of a CPU");
            }
            for (String operation :
                    List.of("write(a_pointer, %s)", "xchg(a_pointer, %s)", "cmpxchg(a_pointer, NULL, %s)")) {
                assertRefusesValues(compiler, operation, "NULL", "&unchanged", "&ordinary", "1.5", "42");
            }
            assertRefusesValues(compiler, "cmpxchg(a_pointer, %s, NULL)", "NULL", "&ordinary");
            assertRefusesValues(compiler, "write(an_int, %s)", "5", "\"text\"", "5000000000");
            for (String operation : ARITHMETIC) {
                // Clang tells once of each type what is wrong, so each operation has a file of its own.
                assertRefusesEach(
                        compiler,
                        "invalid operands",
                        Stream.of("\"text\"", "&ordinary", "1.5f", "a_double")
                                .map(value -> operation + "(a_long, " + value + ")")
                                .toList());
            }
            compiler.program("accepted", "refused.c");
        }
        for (Compiler compiler : List.of(Compiler.GCC, Compiler.CLANG)) {
            assertThatThrownBy(() -> compiler.program("refused", "refused.c", "-DON_COMPLEX"))
                    .hasMessageContaining("an operation is on integers and pointers");
        }
        for (Compiler compiler : List.of(Compiler.GXX, Compiler.CLANGXX)) {
            assertThatThrownBy(() -> compiler.program("refused", "refused.c", "-DON_CLASS"))
                    .hasMessageContaining("an operation is on integers and pointers");
        }
        assertThatThrownBy(() -> Compiler.GXX.program("refused", "refused.c", "-DON_CONSTRUCTED"))
                .hasMessageContaining("must be trivially copyable");
        assertThatThrownBy(() -> Compiler.GXX.program("refused", "refused.c", "-DON_COMPUTED"))
                .hasMessageContaining("does not have a constant initializer");
        for (Compiler compiler : List.of(Compiler.GCC, Compiler.CLANGXX)) {
            assertThatThrownBy(() -> compiler.program("refused", "refused.c", "-DON_UNKNOWN_ARCHITECTURE"))
                    .hasMessageContaining(
                            "percpu.h does not support this processor architecture, only x86-64 and AArch64");
        }
    }

    /** As an assignment to the variable is, by an error or a warning. With the right value the rest compiles. */
    private static void assertRefusesValues(Compiler compiler, String operation, String right, String... wrong)
            throws IOException {
        String call = "this_cpu_" + operation;
        Path accepted = statements(List.of(call.formatted(right)));
        compiler.program("accepted", "refused.c", "-DON_STATEMENTS=\"" + accepted + "\"");
        assertRefusesEach(
                compiler, "error:", Stream.of(wrong).map(call::formatted).toList());
    }

    /** All of them in one file, as a compilation spends most of its time on the headers. */
    private static void assertRefusesEach(Compiler compiler, String message, List<String> statements)
            throws IOException {
        Path file = statements(statements);
        assertThatThrownBy(() -> compiler.program("refused", "refused.c", "-DON_STATEMENTS=\"" + file + "\""))
                .message()
                .satisfies(output -> {
                    assertThat(output.split(Pattern.quote(message), -1)).hasSizeGreaterThan(statements.size());
                    for (int line = 1; line <= statements.size(); line++) {
                        assertThat(output).contains(file + ":" + line + ":");
                    }
                });
    }

    /** A file with a statement on each line. */
    private static Path statements(List<String> statements) throws IOException {
        Path file = Files.createTempFile(Files.createDirectories(Compiler.OUTPUT), "statements", ".inc");
        return Files.write(
                file.toAbsolutePath(),
                statements.stream().map(statement -> statement + ";").toList());
    }

    @Test
    void anArrayIsNoNumber() throws IOException {
        for (Compiler compiler : List.of(Compiler.GCC, Compiler.CLANG, Compiler.GXX, Compiler.CLANGXX)) {
            assertRefusesEach(
                    compiler,
                    "an operation is on integers and pointers",
                    List.of(
                            "this_cpu_inc(an_array)",
                            "this_cpu_write(an_array, 0)",
                            "(void)this_cpu_read(an_array)",
                            "(void)per_cpu_sum(an_array)"));
        }
    }

    @Test
    void anOperationOnNoPerCpuVariableEndsTheProgramIfAskedTo() {
        Path program = Compiler.GCC.program("checked", "refused.c", "-DPERCPU_CHECK", "-DON_ORDINARY");
        assertThatThrownBy(() -> run(program, REGISTERED))
                .hasMessageContaining(
                        "this_cpu operation on a variable that this library does not define with DEFINE_PER_CPU");
    }

    @Test
    void aReleaseOfNoGuardOfTheThreadsEndsTheProgramIfAskedTo() {
        Path program = Compiler.GCC.program("checked", "refused.c", "-O2", "-DPERCPU_CHECK", "-DON_PUT_TWICE");
        assertThatThrownBy(() -> run(program, REGISTERED))
                .hasMessageContaining("release of a guard that this thread does not hold");
    }

    /** As in the kernel, where the variable is passed. */
    @Test
    void aReleaseByTheVariableEndsTheProgram() {
        Path program = Compiler.GCC.program("by-variable", "refused.c", "-O2", "-DON_PUT_VARIABLE");
        assertThatThrownBy(() -> run(program, REGISTERED))
                .hasMessageContaining("put_cpu_var of what is no CPU's instance: pass what get_cpu_ptr returned");
    }

    @ParameterizedTest
    @CsvSource({"ON_CPU=8192, 8192", "ON_CPU=8191, 8191", "ON_CPU=-1, -1", "ON_INSTANCE=percpu_count(), [1-9][0-9]*"})
    void aCpuThatDoesNotExistEndsTheProgram(String what, String id) {
        Path program = Compiler.GCC.program("absent", "refused.c", "-D" + what);
        assertThatThrownBy(() -> run(program, REGISTERED))
                .hasMessageMatching("(?s).*there is no CPU " + id + " here, where ids are less than [1-9].*");
    }

    private static long abortsOf(String output) {
        assertThat(output).startsWith("sequences: ok");
        Matcher matcher = ABORTS.matcher(output);
        assertThat(matcher.find()).isTrue();
        return Long.parseLong(matcher.group(1));
    }

    private static Path exactness(Compiler compiler, String name, String... options) {
        String[] all =
                Stream.concat(Stream.of(options), Stream.of("-D_GNU_SOURCE")).toArray(String[]::new);
        return compiler.program(name, "exactness.c", all);
    }
}

package dev.percpu.stress.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.stress.failure.FailureRun;
import dev.percpu.stress.subject.Subject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FaultsTest {
    private static final String TEST_OF_C = "src/test/c/operations.c";

    private static final String TEXT = "one {\n    two;\n    three;\n}\ntwo;\n";

    static Stream<Fault> all() {
        return Faults.all().stream();
    }

    /** If it fails, the code has changed: adapt the fault to it. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("all")
    void eachFaultFitsTheSourcesAndCompiles(Fault fault, @TempDir Path directory) throws Exception {
        Path classes = Checkout.here().compileWith(fault, directory);
        if (fault.isInHeader()) {
            assertThat(FinderCall.run(
                                    List.of("gcc", "-Wall", "-fsyntax-only", "-I" + classes, "-Isrc/test/c", TEST_OF_C),
                                    Checkout.here().header(),
                                    directory.resolve("log"),
                                    Duration.ofMinutes(2))
                            .output())
                    .isEmpty();
            return;
        }
        try (Stream<Path> files = Files.walk(classes)) {
            assertThat(files).anyMatch(file -> file.toString().endsWith(".class"));
        }
    }

    @Test
    void everyFaultHasANameOfItsOwn() {
        assertThat(FaultRun.names()).doesNotHaveDuplicates().hasSizeGreaterThan(30);
    }

    /** Otherwise nobody has seen that it is found: run it, and write down what it says. */
    @Test
    void eachFaultHasARowInTheResults() {
        Path results = Checkout.here().core().resolveSibling(Path.of("docs", "stress-results.md"));
        assertThat(FaultRun.names())
                .allSatisfy(name -> assertThat(results).content().contains("\n| " + name + " |"));
    }

    @Test
    void eachTestThatIsToFindAFaultExists() {
        Path tests = Checkout.here().core().resolve(Path.of("src", "test", "java", "dev", "percpu"));
        assertThat(finders(Finder.Kind.TEST)).isNotEmpty().allSatisfy(test -> {
            String[] names = test.split("#", 2);
            assertThat(tests.resolve(names[0].replace('.', '/') + ".java"))
                    .content()
                    .contains(names.length == 1 ? "class " : " void " + names[1] + "(");
        });
    }

    @Test
    void eachTestOfTheHeaderThatIsToFindAFaultExists() {
        Path tests = Checkout.here().header().resolve(Path.of("src", "test", "c"));
        assertThat(finders(Finder.Kind.C))
                .isNotEmpty()
                .allSatisfy(test -> assertThat(tests.resolve(test.replaceFirst("\\.c\\b.*", ".c")))
                        .isRegularFile());
    }

    @Test
    void eachStructureThatIsToFindAFaultExists() {
        List<String> names = Subject.kinds().stream().map(Subject.Kind::name).toList();
        assertThat(finders(Finder.Kind.STRESS))
                .isNotEmpty()
                .allSatisfy(what -> assertThat(names).contains(what.split(",")));
    }

    @Test
    void eachOperationAndWayThatIsToFindAFaultExists() {
        assertThat(finders(Finder.Kind.FAILURES)).isNotEmpty().allSatisfy(what -> {
            String[] parts = what.split(" at ", 2);
            assertEachBegins(parts[0], FailureRun.operationNames());
            assertEachBegins(parts[1], FailureRun.wayNames());
        });
    }

    private static void assertEachBegins(String beginnings, List<String> names) {
        assertThat(beginnings.split(","))
                .allSatisfy(beginning -> assertThat(names).anyMatch(name -> name.startsWith(beginning)));
    }

    @Test
    void eachJcstressTestThatIsToFindAFaultExists() {
        assertThat(finders(Finder.Kind.JCSTRESS))
                .isNotEmpty()
                .allSatisfy(test -> Class.forName("dev.percpu.stress.jcstress." + test.replace('.', '$')));
    }

    @Test
    void aFinderThatWasCalledInAWrongWayHasFoundNothing() {
        FinderCall misused = new FinderCall(2, Duration.ZERO, "percpu: --only knows no 'ref'");
        assertThatThrownBy(misused::found).hasMessageContaining("--only knows no 'ref'");
        assertThat(new FinderCall(1, Duration.ZERO, "FAILED").found()).isTrue();
        assertThat(new FinderCall(0, Duration.ZERO, "").found()).isFalse();
    }

    private static Stream<String> finders(Finder.Kind kind) {
        return all().flatMap(fault -> fault.finders().stream())
                .filter(finder -> finder.kind() == kind)
                .map(Finder::what);
    }

    @Test
    void whatEndsInTheTableHasNoMark() {
        assertThat(FaultRun.names()).noneMatch(name -> name.contains("|") || name.contains(","));
    }

    @Test
    void linesAreReplacedHoweverTheyAreIndented() {
        Change change = new Change("F", List.of("  two;", "three;"), List.of("two;", "four;"));
        assertThat(change.applyTo(TEXT)).isEqualTo("one {\ntwo;\nfour;\n}\ntwo;\n");
    }

    @Test
    void aChangeThatDoesNotFitIsRefused() {
        assertThatThrownBy(() -> new Change("F", List.of("four;"), List.of()).applyTo(TEXT))
                .hasMessageContaining("F does not have these lines:\nfour;");
        assertThatThrownBy(() -> new Change("F", List.of("two;"), List.of()).applyTo(TEXT))
                .hasMessageContaining("F has these lines twice:\ntwo;");
    }

    @Test
    void theListIsRead() {
        List<Fault> faults = Faults.read("""
                # about

                fault: f
                found by: stress a,b on atomic
                in: x/F.java
                 a
                -b
                +c
                in: G.java
                -d

                fault: g
                not found: too quick
                in: H.java
                -e
                """);
        assertThat(faults)
                .containsExactly(
                        new Fault(
                                "f",
                                List.of(
                                        new Change("x/F.java", List.of("a", "b"), List.of("a", "c")),
                                        new Change("G.java", List.of("d"), List.of())),
                                List.of(new Finder(Finder.Kind.STRESS, "a,b", "atomic")),
                                ""),
                        new Fault("g", List.of(new Change("H.java", List.of("e"), List.of())), List.of(), "too quick"));
    }

    @Test
    void whatATestSaysIsCutToItsMeaning() {
        String output = """
                Failures (1):
                  JUnit Jupiter:SumTest:isExact():wave 3
                    MethodSource [className = 'dev.percpu.SumTest', methodName = 'isExact', methodParameterTypes = '']
                    => org.opentest4j.AssertionFailedError: [sum]\s
                expected: 3L
                 but was: 2L
                       dev.percpu.SumTest.isExact(SumTest.java:9)
                       [...]
                """;
        assertThat(Finder.of("test SumTest").clue(output))
                .isEqualTo("isExact: AssertionFailedError: [sum] expected: 3L but was: 2L");
    }

    @Test
    void soIsWhatATestWithParametersSays() {
        String output = """
                  JUnit Jupiter:LockTest:[1] counters = WORD:isShut()
                    => java.lang.AssertionError: not shut
                       dev.percpu.LockTest.isShut(LockTest.java:9)
                """;
        assertThat(Finder.of("test LockTest").clue(output)).isEqualTo("isShut: AssertionError: not shut");
    }

    @Test
    void soIsWhatATestOfTheHeaderSays() {
        String output = "src/test/c/exactness.c:190: total is 7, not 8\n";
        assertThat(Finder.of("c exactness.c -DPAUSE=200: 500 guards").clue(output))
                .isEqualTo("exactness.c:190: total is 7, not 8");
    }

    @Test
    void soIsWhatJcstressSays() {
        String output = """
                Exception in thread "main" java.lang.AssertionError: TEST FAILURES:\s
                dev.percpu.stress.jcstress.TallyStress [-Dpercpu.backend=rseq, -cp, a:b]: Observed forbidden state: 8, 3, 1
                """;
        assertThat(Finder.of("jcstress TallyStress").clue(output))
                .isEqualTo("TallyStress: Observed forbidden state: 8, 3, 1");
    }

    @Test
    void aFaultNeedsWhatFindsItOrAReason() {
        assertThatThrownBy(() -> Faults.read("fault: f\nin: F.java\n-a\n"))
                .hasMessage("the fault 'f' needs a change, and either what finds it or why nothing does");
        assertThatThrownBy(() -> Faults.read("fault: f\nfound by: luck\nin: F.java\n-a\n"))
                .hasMessageContaining("luck");
    }
}

package dev.percpu;

import static com.tngtech.archunit.base.DescribedPredicate.anyElementThat;
import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.targetOwner;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.codeUnits;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.code.EventShape;
import dev.percpu.internal.code.Sequence;
import dev.percpu.testing.Machine;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may know whom. */
@Tag("once")
class ArchitectureRulesTest {
    /** From where the library is, as other modules have packages of the same beginning. */
    private static final JavaClasses CORE = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importUrl(CpuGuard.class.getProtectionDomain().getCodeSource().getLocation());

    /** What users can name. */
    private static final DescribedPredicate<JavaClass> PUBLIC = resideInAPackage("dev.percpu..")
            .and(not(resideInAPackage("dev.percpu.internal..")))
            .and(describe("are public", each -> each.getModifiers().contains(JavaModifier.PUBLIC)));

    /** What structures use of the area. (Of constants, class files have the values only.) */
    private static final Set<String> FREE_TO_STRUCTURES = Set.of(
            "Area.allocateFor",
            "Area.CPUS",
            "Area.places",
            "Area.SPARE",
            "DetachedThread.nothing",
            "DetachedThread.start",
            "OwnPlaces.COUNT",
            "OwnPlaces.hasMine",
            "OwnPlaces.index",
            "OwnPlaces.isNeverMine",
            "OwnPlaces.mine",
            "OwnPlaces.missed");

    @Test
    void theImportFoundTheCore() {
        assertThat(CORE.contain(PerCpuNumeric.class)).isTrue();
        assertThat(CORE.contain(TokenTest.class)).isFalse();
        assertThat(CORE.contain(Machine.class)).isFalse();
    }

    @Test
    void theModuleExportsThePublicPackagesOnly() throws URISyntaxException {
        // The tests may run on the class path, where the library is no module.
        Path library = Path.of(CpuGuard.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        ModuleDescriptor module =
                // Classes that an IDE compiled may lack the descriptor; the build's has it.
                ModuleFinder.of(library, Path.of("target", "classes"))
                        .find("dev.percpu")
                        .orElseThrow()
                        .descriptor();
        assertThat(module.exports())
                .filteredOn(export -> !export.isQualified())
                .extracting(ModuleDescriptor.Exports::source)
                .containsExactlyInAnyOrderElementsOf(CORE.stream()
                        .map(JavaClass::getPackageName)
                        .filter(name -> name.startsWith("dev.percpu") && !name.startsWith("dev.percpu.internal."))
                        .collect(Collectors.toSet()));
    }

    @Test
    void thePublicApiHasNoInternalTypeInIt() {
        DescribedPredicate<JavaClass> internal = resideInAPackage("dev.percpu.internal..");
        codeUnits()
                .that()
                .areDeclaredInClassesThat(PUBLIC)
                .and(areVisibleToUsers())
                .should()
                .notHaveRawReturnType(internal)
                .andShould()
                .notHaveRawParameterTypes(anyElementThat(internal))
                .check(CORE);
        fields().that()
                .areDeclaredInClassesThat(PUBLIC)
                .and(areVisibleToUsers())
                .should()
                .notHaveRawType(internal)
                .check(CORE);
        noClasses().that(PUBLIC).should().beAssignableTo(internal).check(CORE);
    }

    private static DescribedPredicate<JavaMember> areVisibleToUsers() {
        return describe(
                "are public or protected",
                member -> member.getModifiers().contains(JavaModifier.PUBLIC)
                        || member.getModifiers().contains(JavaModifier.PROTECTED));
    }

    /** What has to hold for each structure is tested by classes that list them all. */
    @ParameterizedTest
    @ValueSource(classes = {FirstUseTest.Thing.class, NamesTest.class})
    void eachStructureIsKnownTo(Class<?> test) {
        // Only what is looked at, since an import of all tests takes seconds.
        Set<String> known = new ClassFileImporter()
                        .withImportOption(
                                location -> location.contains(test.getName().replace('.', '/')))
                        .importUrl(test.getProtectionDomain().getCodeSource().getLocation())
                        .stream()
                        .filter(each -> each.getName().startsWith(test.getName()))
                        .flatMap(each -> each.getDirectDependenciesFromSelf().stream())
                        .map(dependency -> dependency.getTargetClass().getName())
                        .collect(Collectors.toSet());
        assertThat(CORE.stream()
                        .filter(PUBLIC.and(JavaClass.Predicates.simpleNameStartingWith("PerCpu")))
                        .filter(each -> each.getPackageName().equals("dev.percpu.concurrent") && each.isTopLevelClass())
                        .map(JavaClass::getName))
                .isNotEmpty()
                .allMatch(known::contains);
    }

    @Test
    void theLibraryNeverPrintsAndNeverExits() {
        noClasses().should().accessField(System.class, "out").check(CORE);
        noClasses().should().accessField(System.class, "err").check(CORE);
        noClasses().should().callMethod(System.class, "exit", int.class).check(CORE);
        noClasses().should().callMethod(Runtime.class, "exit", int.class).check(CORE);
        noClasses().should().callMethod(Runtime.class, "halt", int.class).check(CORE);
        stackTracesAreNotPrinted().check(CORE);
    }

    /** Whatever class it is of: a class file names the static type, as in {@code IOException.printStackTrace}. */
    private static ArchRule stackTracesAreNotPrinted() {
        return noClasses()
                .should()
                .accessTargetWhere(targetOwner(assignableTo(Throwable.class))
                        .and(describe(
                                "prints a stack trace",
                                access -> access.getName().equals("printStackTrace"))));
    }

    @Test
    void theStackTraceOfAnyExceptionIsFound() {
        JavaClasses printing = new ClassFileImporter().importClasses(Printing.class);
        assertThatThrownBy(() -> stackTracesAreNotPrinted().check(printing)).isInstanceOf(AssertionError.class);
    }

    static final class Printing {
        private Printing() {}

        static void print(IllegalStateException thrown) {
            thrown.printStackTrace();
        }
    }

    /**
     * An exception that reports a full heap or the end of the stack must not be the first to have its message linked.
     */
    @Test
    void noStringIsPutTogetherByWhatTheJvmLinksFirst() {
        assertThat(CORE.stream().filter(ArchitectureRulesTest::linksStrings).toList())
                .isEmpty();
        JavaClasses joining = new ClassFileImporter().importClasses(Joining.class);
        assertThat(linksStrings(joining.get(Joining.class))).isTrue();
    }

    /** ArchUnit does not tell what the bootstrap method of a call is. */
    private static boolean linksStrings(JavaClass each) {
        try (InputStream file = each.getSource().orElseThrow().getUri().toURL().openStream()) {
            for (PoolEntry entry : ClassFile.of().parse(file.readAllBytes()).constantPool()) {
                if (entry instanceof ClassEntry named
                        && named.asInternalName().equals("java/lang/invoke/StringConcatFactory")) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static final class Joining {
        private Joining() {}

        static String join(int number) {
            return "number " + number;
        }
    }

    /**
     * Structures take memory from the area, ask how many CPUs there are and whether the thread has a place, and start
     * detached threads. Only protocols read and write that memory, and compute where a number lies.
     */
    @Test
    void structuresLeaveTheAreaToProtocols() {
        noClasses()
                .that()
                .resideInAPackage("dev.percpu.concurrent")
                .should()
                .accessTargetWhere(targetOwner(resideInAPackage("dev.percpu.internal.area"))
                        .and(describe("is not free to all", access -> !FREE_TO_STRUCTURES.contains(name(access)))))
                .check(CORE);
    }

    private static String name(JavaAccess<?> access) {
        return access.getTargetOwner().getSimpleName() + "." + access.getName();
    }

    /** A sequence that somebody else created would be in no test of its instructions. */
    @Test
    void onlyTheCatalogueAndEventShapesCreateSequences() {
        noClasses()
                .that()
                .doNotBelongToAnyOf(Catalogue.class, EventShape.class)
                .should()
                .callConstructorWhere(targetOwner(type(Sequence.class)))
                .check(CORE);
    }

    /**
     * CONTRIBUTING has a table of packages, and of which ones each uses: no more, and no fewer, so that none stays
     * allowed that is no longer needed. All stand above the package in the table, so there are no cycles.
     */
    @Test
    @Tag("tools")
    void packagesUseWhatContributingSays() throws IOException {
        Map<String, Set<String>> table = packageTable();
        Map<String, Set<String>> used = new TreeMap<>();
        for (JavaClass each : CORE) {
            Set<String> others = used.computeIfAbsent(each.getPackageName(), _ -> new TreeSet<>());
            each.getDirectDependenciesFromSelf().stream()
                    .map(dependency -> dependency.getTargetClass().getPackageName())
                    .filter(name -> name.equals("dev.percpu") || name.startsWith("dev.percpu."))
                    .filter(name -> !name.equals(each.getPackageName()))
                    .forEach(others::add);
        }
        assertThat(table.keySet()).containsExactlyInAnyOrderElementsOf(used.keySet());
        Set<String> above = new HashSet<>();
        table.forEach((name, others) -> {
            assertThat(above).as("above %s in the table", name).containsAll(others);
            above.add(name);
        });
        used.forEach((name, others) -> assertThat(table.get(name)).as(name).isEqualTo(others));
    }

    private static Map<String, Set<String>> packageTable() throws IOException {
        Pattern row = Pattern.compile("\\| `(dev\\.percpu[a-z.]*)` \\| ([^|]*) \\|.*");
        Map<String, Set<String>> table = new LinkedHashMap<>();
        for (String line : Files.readAllLines(Path.of("..", "CONTRIBUTING.md"))) {
            Matcher matcher = row.matcher(line);
            if (matcher.matches()) {
                Set<String> others = new TreeSet<>();
                Pattern.compile("`([a-z.]+)`")
                        .matcher(matcher.group(2))
                        .results()
                        .map(result -> result.group(1))
                        .forEach(name -> others.add(name.startsWith("dev.percpu") ? name : "dev.percpu." + name));
                table.put(matcher.group(1), others);
            }
        }
        return table;
    }
}

package dev.percpu;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.percpu.testing.Machine;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.net.URISyntaxException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Who may know whom. */
class ArchitectureRulesTest {
    /** From where the library is, as other modules have packages of the same beginning. */
    private static final JavaClasses CORE = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importUrl(CpuGuard.class.getProtectionDomain().getCodeSource().getLocation());

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
                ModuleFinder.of(library).find("dev.percpu").orElseThrow().descriptor();
        assertThat(module.exports())
                .filteredOn(export -> !export.isQualified())
                .extracting(ModuleDescriptor.Exports::source)
                .containsExactlyInAnyOrder(
                        "dev.percpu",
                        "dev.percpu.cell",
                        "dev.percpu.concurrent",
                        "dev.percpu.cpu",
                        "dev.percpu.memory");
    }

    @Test
    void thePublicApiHasNoInternalTypeInIt() {
        methods()
                .that()
                .areDeclaredInClassesThat(resideInAnyPackage(
                        "dev.percpu",
                        "dev.percpu.cell",
                        "dev.percpu.concurrent",
                        "dev.percpu.cpu",
                        "dev.percpu.memory"))
                .and()
                .arePublic()
                .and()
                .areDeclaredInClassesThat()
                .arePublic()
                .should()
                .notHaveRawReturnType(resideInAPackage("dev.percpu.internal.."))
                .andShould()
                .notHaveRawParameterTypes(com.tngtech.archunit.base.DescribedPredicate.anyElementThat(
                        resideInAPackage("dev.percpu.internal..")))
                .check(CORE);
    }

    @Test
    void theLibraryNeverPrintsAndNeverExits() {
        noClasses().should().accessField(System.class, "out").check(CORE);
        noClasses().should().accessField(System.class, "err").check(CORE);
        noClasses().should().callMethod(System.class, "exit", int.class).check(CORE);
        noClasses().should().callMethod(Throwable.class, "printStackTrace").check(CORE);
    }

    @Test
    void theKernelsInterfaceKnowsNothingOfWhatItIsUsedFor() {
        noClasses()
                .that()
                .resideInAPackage("dev.percpu.internal.linux")
                .should()
                .dependOnClassesThat(
                        resideInAPackage("dev.percpu..").and(not(resideInAPackage("dev.percpu.internal.linux"))))
                .check(CORE);
    }

    @Test
    void codeKnowsTheKernelsInterfaceOnly() {
        noClasses()
                .that()
                .resideInAPackage("dev.percpu.internal.code")
                .should()
                .dependOnClassesThat(resideInAPackage("dev.percpu..")
                        .and(not(resideInAnyPackage("dev.percpu.internal.code", "dev.percpu.internal.linux"))))
                .check(CORE);
    }
}

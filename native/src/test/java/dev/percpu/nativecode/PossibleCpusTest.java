package dev.percpu.nativecode;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.PerCpuNumeric;
import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Sysfs;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Java and C agree on which CPUs are possible, also where the kernel's list of them is hidden or says nonsense. */
class PossibleCpusTest {
    private static final String POSSIBLE = "devices/system/cpu/possible";

    /** More than any machine has that runs these tests, so that C cannot count them for itself. */
    private static final int COUNTED_BY_JAVA = 100;

    /** Declares a variable of C code that begins as 5, and prints what it is on each CPU. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] arguments) throws Throwable {
            SymbolLookup library = SymbolLookup.libraryLookup(Path.of(arguments[0]), Arena.global());
            if (arguments[1].equals("c first")) {
                System.out.println("C: " + call(library, "get_long", FunctionDescriptor.of(JAVA_LONG)));
            }
            PerCpuNumeric longs = PerCpuNumeric.declare(library, "a_long", NumericWidth.LONG);
            for (CpuId cpu : CpuMask.possible()) {
                if (longs.get(cpu) != 5) {
                    System.out.println("CPU " + cpu.id() + ": " + longs.get(cpu));
                }
            }
            long expected = 5L * CpuMask.possible().weight();
            longs.add(1);
            System.out.println("sums: " + (longs.sum() - expected) + ", "
                    + ((long) call(library, "sum_of_longs", FunctionDescriptor.of(JAVA_LONG)) - expected));
            System.out.println("CPUs: " + CpuMask.possible().weight() + ", "
                    + call(library, "possible_cpus", FunctionDescriptor.of(JAVA_INT)));
        }

        private static Object call(SymbolLookup library, String name, FunctionDescriptor descriptor) throws Throwable {
            return Linker.nativeLinker()
                    .downcallHandle(library.findOrThrow(name), descriptor)
                    .invoke();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"java first", "c first"})
    void aVariableBeginsWithItsValueOnEachCpu(String order) {
        Path library = Compiler.GCC.library("possible", "library.c", "-DINITIAL=5");
        List<Supplier<Jvm>> systems = List.of(
                Jvm::new,
                Sysfs::hidden,
                () -> Sysfs.telling(POSSIBLE, ""),
                () -> Sysfs.telling(POSSIBLE, "as many as you like"),
                () -> Sysfs.telling(POSSIBLE, "0-1,and so on"),
                () -> Sysfs.telling(POSSIBLE, "0-3,6-7"));
        for (Supplier<Jvm> system : systems) {
            assertAgreed(system.get(), library, order, CpuMask.possible().weight());
        }
        // Java counts CPUs that C code knows nothing of.
        String option = "-XX:ActiveProcessorCount=" + COUNTED_BY_JAVA;
        assertAgreed(Sysfs.hidden().option(option), library, order, COUNTED_BY_JAVA);
    }

    private static void assertAgreed(Jvm jvm, Path library, String order, int atLeast) {
        // The back end is told, so that the JVM has nothing to say about its choice.
        Jvm.Result result = jvm.with(System.getProperty("java.class.path"))
                .option("-Dpercpu.backend=" + PerCpuRuntime.backend())
                .run(Probe.class, library.toString(), order);
        assertThat(result.status()).as(result.output()).isZero();
        String c = order.equals("c first") ? "C: 5\n" : "";
        assertThat(result.output()).matches(c + "sums: 1, 1\nCPUs: (\\d+), \\1\n");
        int cpus = Integer.parseInt(result.output().replaceAll("(?s).*, |\n", ""));
        assertThat(cpus).isGreaterThanOrEqualTo(atLeast);
    }
}

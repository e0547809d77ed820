package dev.percpu.internal.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.CpuGuard;
import dev.percpu.NumericCell;
import dev.percpu.PerCpuNumeric;
import dev.percpu.PerCpuRuntime;
import dev.percpu.StaticPerCpu;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Effort;
import dev.percpu.testing.ExecutableMemory;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.TestInOwnJvm;
import dev.percpu.testing.Workers;
import org.junit.jupiter.api.Tag;

/** Which back end is chosen, why, and that what is chosen works. Each in a JVM of its own. */
@Tag("rseq")
class BackendChoiceTest {
    /** Prints the choice and tries it. */
    static final class Probe {
        private static final PerCpuNumeric NUMBER = PerCpuNumeric.define("probe", NumericWidth.LONG);
        private static final StaticPerCpu<NumericCell> CELL =
                StaticPerCpu.defineNumeric("probe cell", NumericWidth.LONG, 0);

        private static final int THREADS = 4;
        private static final long ROUNDS = Effort.scaled(10_000L);

        private Probe() {}

        public static void main(String[] arguments) throws InterruptedException {
            System.out.println(PerCpuRuntime.backend() + ": " + PerCpuRuntime.backendReason());
            System.out.println("self-test: " + PerCpuRuntime.selfTest());
            Workers.run("probe-", THREADS, thread -> {
                for (long i = 0; i < ROUNDS; i++) {
                    NUMBER.increment();
                    try (CpuGuard guard = CpuGuard.acquire()) {
                        CELL.getMut(guard).run(cell -> cell.add(1));
                    }
                }
            });
            int[] visited = new int[1];
            CpuId.onEachCpu(cpu -> visited[0] += CpuId.current().equals(cpu) ? 1 : 0);
            long cells = PerCpuNumeric.of(CELL).sum();
            System.out.println(
                    NUMBER.sum() == THREADS * ROUNDS
                                    && cells == THREADS * ROUNDS
                                    && visited[0] == CpuMask.usable().weight()
                            ? "exact"
                            : "wrong: " + NUMBER.sum() + " " + cells + " " + visited[0]);
        }
    }

    /** Refuses the process executable memory before the library is loaded, then goes on as {@link Probe}. */
    static final class ProbeWithoutExecutableMemory {
        private ProbeWithoutExecutableMemory() {}

        public static void main(String[] arguments) throws InterruptedException {
            ExecutableMemory.refuse();
            Probe.main(arguments);
        }
    }

    @TestInOwnJvm
    void rseqWhereItWorks() {
        assertRuns(new Jvm(), "rseq: restartable sequences work here", "self-test: quick: passed");
    }

    @TestInOwnJvm
    void atomicIfForced() {
        assertRuns(new Jvm().option("-Dpercpu.backend=atomic"), "atomic: it is forced by -Dpercpu.backend=atomic");
    }

    @TestInOwnJvm
    void atomicIfTheCLibraryRegistersNoThread() {
        assertRuns(
                new Jvm().environment("GLIBC_TUNABLES", "glibc.pthread.rseq=0"),
                "atomic: the C library registered no thread",
                "GLIBC_TUNABLES");
    }

    @TestInOwnJvm
    void atomicIfNativeAccessIsDenied() {
        assertRuns(new Jvm().withoutNativeAccess(), "atomic: native access is denied", "--enable-native-access");
    }

    @TestInOwnJvm
    void atomicOnAnotherOperatingSystem() {
        assertRuns(new Jvm().option("-Dos.name=FreeBSD"), "atomic: the operating system is FreeBSD, not Linux");
    }

    @TestInOwnJvm
    void atomicIfExecutableMemoryIsRefused() {
        // The code cache is made whole before, so that the JVM itself can go on compiling.
        Jvm jvm = new Jvm().option("-XX:ReservedCodeCacheSize=64m").option("-XX:InitialCodeCacheSize=64m");
        assertThat(jvm.outputOf(ProbeWithoutExecutableMemory.class))
                .contains("atomic: there is no executable memory", "mprotect", "exact");
    }

    @TestInOwnJvm
    void forcingRseqWhereItCannotRunIsAnErrorThatSaysWhy() {
        assertFails(
                new Jvm().option("-Dpercpu.backend=rseq").environment("GLIBC_TUNABLES", "glibc.pthread.rseq=0"),
                "-Dpercpu.backend=rseq is not possible here: the C library registered no thread",
                "Remove the property");
        assertFails(
                new Jvm().option("-Dpercpu.backend=rseq").withoutNativeAccess(),
                "-Dpercpu.backend=rseq is not possible here: native access is denied");
    }

    @TestInOwnJvm
    void anUnknownBackendIsAnErrorThatNamesTheKnown() {
        assertFails(new Jvm().option("-Dpercpu.backend=fast"), "percpu.backend must be rseq or atomic, not 'fast'");
    }

    @TestInOwnJvm
    void aStrideThatCannotBeIsAnErrorThatSaysWhatCan() {
        for (String stride : new String[] {"many", "3000000", "64", "-1", "0", "2147483648"}) {
            assertFails(
                    new Jvm().option("-Dpercpu.area.stride=" + stride), "percpu.area.stride", "not '" + stride + "'");
        }
        assertRuns(new Jvm().option("-Dpercpu.area.stride=65536"), "rseq");
        assertRuns(new Jvm().option("-Dpercpu.area.stride=65536").withoutNativeAccess(), "atomic");
    }

    private static void assertRuns(Jvm jvm, String... said) {
        assertThat(jvm.outputOf(Probe.class)).contains(said).contains("exact");
    }

    private static void assertFails(Jvm jvm, String... said) {
        Jvm.Result result = jvm.run(Probe.class);
        assertThat(result.output()).contains(said);
        assertThat(result.status()).isEqualTo(1);
    }
}

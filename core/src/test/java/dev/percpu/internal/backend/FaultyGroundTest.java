package dev.percpu.internal.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.CpuGuard;
import dev.percpu.DynamicPerCpu;
import dev.percpu.PerCpuNumeric;
import dev.percpu.PerCpuRuntime;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import dev.percpu.concurrent.PerCpuRef;
import dev.percpu.concurrent.Pooled;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.linux.Affinity;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Machine.Call;
import dev.percpu.testing.MemoryLimit;
import dev.percpu.testing.Seccomp;
import dev.percpu.testing.Sysfs;
import dev.percpu.testing.TestInOwnJvm;
import dev.percpu.testing.WithoutCpuId;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.Tag;

/**
 * What a kernel, a sandbox or a limit can refuse: each ends on the right back end, which says why, or in an error that
 * says what to do. Each in a JVM of its own; {@link BackendChoiceTest} has what takes no more than an option.
 *
 * <p>This file is longer than others: most of it is programs that run in a JVM of their own.
 */
@Tag("rseq")
class FaultyGroundTest {
    private static final int EPERM = 1;
    private static final int EAGAIN = 11;
    private static final int ENOMEM = 12;
    private static final int EINVAL = 22;
    private static final int ENOSYS = 38;

    private static final long MIB = 1 << 20;

    /** What has to be left to a JVM whose limit is at least eight times as high, as it is with a large heap. */
    private static final long ROOM = 256 * MIB;

    private static final String LARGE_HEAP = "-Xmx2g";

    /** The command of membarrier that restarts sequences. */
    private static final int RESTART = 1 << 7;

    /** The command of membarrier that is a barrier on other CPUs. */
    private static final int BARRIER = 1 << 3;

    /** The protection that code has, the third argument of mprotect. */
    private static final int READ_AND_EXECUTE = 5;

    /** The protection that the opened parts of the area have. */
    private static final int READ_AND_WRITE = 3;

    /** A kernel version that is said to lose aborts, so that the sequences have to show that they work. */
    private static final String SUSPECT = "-Dos.version=7.0.1-suspect";

    @TestInOwnJvm
    void rseqRefusedToTheWholeProcess() {
        for (int errno : new int[] {ENOSYS, EPERM}) {
            assertRuns(
                    new Jvm().refusing(Call.RSEQ, errno),
                    BackendChoiceTest.Probe.class,
                    "atomic: the C library registered no thread",
                    "a seccomp filter");
        }
    }

    @TestInOwnJvm
    void membarrierRefused() {
        for (int errno : new int[] {ENOSYS, EPERM, EINVAL}) {
            assertRuns(
                    new Jvm().refusing(Call.MEMBARRIER, errno),
                    BackendChoiceTest.Probe.class,
                    "atomic: sequences on other CPUs cannot be restarted: membarrier",
                    "errno " + errno);
        }
    }

    /** By a filter that looks at arguments, or for want of memory. */
    @TestInOwnJvm
    void restartsRefusedButNotTheRegistrationForThem() {
        for (int errno : new int[] {EPERM, ENOMEM}) {
            assertRuns(
                    new Jvm().refusing(Call.MEMBARRIER, 0, RESTART, errno),
                    BackendChoiceTest.Probe.class,
                    "atomic: sequences on other CPUs cannot be restarted: membarrier(128) failed: errno " + errno);
        }
        Jvm.Result forced = new Jvm()
                .option("-Dpercpu.backend=rseq")
                .refusing(Call.MEMBARRIER, 0, RESTART, EPERM)
                .run(BackendChoiceTest.Probe.class);
        assertThat(forced.output())
                .contains(
                        "-Dpercpu.backend=rseq is not possible here: sequences on other CPUs cannot be restarted: membarrier(128) failed");
        assertThat(forced.status()).isEqualTo(1);
    }

    /** Does what needs a heavy fence. */
    static final class ProbeOfFences {
        private ProbeOfFences() {}

        public static void main(String[] arguments) throws InterruptedException {
            var sum = new PerCpuDoubleCounter();
            sum.add(1.5);
            System.out.println("taken: " + sum.sumThenReset());
            var pool = PerCpuPool.builder(1, Object::new).build();
            try (Pooled<Object> _ = pool.acquire();
                    Pooled<Object> second = pool.tryAcquire()) {
                System.out.println("a second one: " + second);
            }
            BackendChoiceTest.Probe.main(arguments);
        }
    }

    @TestInOwnJvm
    void barriersRefusedButNotTheRegistrationForThem() {
        for (int errno : new int[] {EPERM, ENOSYS}) {
            assertRuns(
                    new Jvm().option("-Dpercpu.backend=atomic").refusing(Call.MEMBARRIER, 0, BARRIER, errno),
                    ProbeOfFences.class,
                    "taken: 1.5\n",
                    "a second one: null\n");
        }
    }

    @TestInOwnJvm
    void adviceRefused() {
        assertRuns(
                new Jvm().refusing(Call.MADVISE, EPERM),
                BackendChoiceTest.Probe.class,
                "rseq: restartable sequences work");
    }

    @TestInOwnJvm
    void limitsRefused() {
        assertRuns(
                new Jvm().refusing(Call.PRLIMIT64, EPERM),
                BackendChoiceTest.Probe.class,
                "rseq: restartable sequences work");
    }

    /** Loads the library in a thread without a CPU id. */
    static final class ProbeInAnUnregisteredThread {
        private ProbeInAnUnregisteredThread() {}

        public static void main(String[] arguments) throws InterruptedException {
            WithoutCpuId.unregisterThisThread();
            BackendChoiceTest.Probe.main(arguments);
        }
    }

    @TestInOwnJvm
    void noCpuIdInTheThreadThatLoadsTheLibrary() {
        assertRuns(
                new Jvm(),
                ProbeInAnUnregisteredThread.class,
                "atomic: the self-test failed: the kernel gives this thread no CPU id");
    }

    /** Loads the library in a thread that can start no other. */
    static final class ProbeWithoutThreads {
        private ProbeWithoutThreads() {}

        public static void main(String[] arguments) throws InterruptedException {
            Thread first = new Thread(() -> {
                Seccomp.refuse(Call.CLONE, EAGAIN);
                Seccomp.refuse(Call.CLONE3, EAGAIN);
                System.out.println(PerCpuRuntime.backend());
            });
            first.start();
            first.join();
            BackendChoiceTest.Probe.main(arguments);
        }
    }

    @TestInOwnJvm
    void noThreadInTheThreadThatLoadsTheLibrary() {
        assertRuns(new Jvm(), ProbeWithoutThreads.class, "atomic: no thread can be started for the self-test");
    }

    /** After the library was loaded, has the C library register no thread any more. */
    static final class ProbeWithUnregisteredThreads {
        private ProbeWithUnregisteredThreads() {}

        public static void main(String[] arguments) throws InterruptedException {
            PerCpuNumeric number = PerCpuNumeric.create(NumericWidth.LONG);
            number.increment();
            WithoutCpuId.unregisterThisThreadAndThoseItStarts();
            BackendChoiceTest.Probe.main(arguments);
            number.increment();
            System.out.println("sum " + number.sum() + ", of which without CPU " + number.elsewhere());
        }
    }

    @TestInOwnJvm
    void aCpuIdOfMinusTwoInAllThreadsThatAreStartedLater() {
        assertRuns(new Jvm(), ProbeWithUnregisteredThreads.class, "rseq: ", "sum 2, of which without CPU 1");
    }

    /** Tries whatever needs membarrier once it is refused, and that it can be done without later. */
    static final class ProbeThatLosesMembarrier {
        private ProbeThatLosesMembarrier() {}

        public static void main(String[] arguments) throws InterruptedException {
            var lock = new PerCpuReadWriteLock();
            var released = new AtomicInteger();
            var ref = new PerCpuRef(released::incrementAndGet);
            var pool = PerCpuPool.builder(1, Object::new).build();
            var sum = new PerCpuDoubleCounter();
            try (CpuGuard guard = CpuGuard.acquire()) {
                System.out.println(PerCpuRuntime.backend() + ", guard of " + guard.cpu());
            }
            // Until readers count by CPU, so that a writer needs membarrier.
            for (int i = 0; i < 1_000_000; i++) {
                lockAndUnlock(lock.readLock());
            }
            Seccomp.refuse(Call.MEMBARRIER, EPERM);

            for (CpuId cpu : CpuMask.usable()) {
                assertRefused(() -> {
                    try (CpuGuard guard = CpuGuard.tryAcquire(cpu)) {
                        throw new AssertionError("acquired " + guard);
                    }
                });
                if (CpuGuard.owner(cpu).isPresent()) {
                    throw new AssertionError("a refused acquisition left an owner behind");
                }
            }
            AtomicInteger acquired = new AtomicInteger();
            CpuId.onEachCpu(cpu -> {
                try (CpuGuard guard = CpuGuard.tryAcquire()) {
                    acquired.addAndGet(guard != null && guard.cpu().equals(cpu) ? 1 : 0);
                }
            });
            check(acquired.get() == CpuMask.usable().weight(), "free guards: " + acquired);

            lockAndUnlock(lock.readLock());
            assertRefused(() -> lockAndUnlock(lock.writeLock()));
            lockAndUnlock(lock.readLock());

            ref.get();
            assertRefused(ref::kill);
            check(ref.tryGetLive() && released.get() == 0, "a live ref: " + ref);

            try (Pooled<Object> _ = pool.acquire()) {
                // Whether somebody gives one back on another CPU just now cannot be known any more.
                assertRefused(pool::tryAcquire);
            }

            sum.add(1.5);
            assertRefused(sum::sumThenReset);
            sum.add(1);
            check(sum.sum() == 2.5, "sum " + sum);
            System.out.println("exact");
        }

        @SuppressWarnings("LockNotBeforeTry") // there is nothing in between
        private static void lockAndUnlock(Lock lock) {
            lock.lock();
            lock.unlock();
        }

        /** There are no libraries on this class path, those for tests included. */
        private static void check(boolean condition, String seen) {
            if (!condition) {
                throw new AssertionError(seen);
            }
        }

        private static void assertRefused(Runnable task) {
            try {
                task.run();
            } catch (LinuxException e) {
                check(String.valueOf(e.getMessage()).matches("membarrier.* failed: errno 1 \\(EPERM\\)"), e.toString());
                return;
            }
            throw new AssertionError("nothing was refused");
        }
    }

    @TestInOwnJvm
    void membarrierRefusedLaterOnLeavesAllAsItWas() {
        assertRuns(new Jvm(), ProbeThatLosesMembarrier.class, "rseq, guard of");
    }

    @TestInOwnJvm
    void aSuspectKernelHasToShowThatItLosesNothing() {
        assertRuns(
                new Jvm().option(SUSPECT),
                BackendChoiceTest.Probe.class,
                "self-test: quick and, as kernel 7.0.1 is suspect, deep: passed");
    }

    @TestInOwnJvm
    void aSuspectKernelThatCannotShowIt() {
        // The deep self-test binds threads to CPUs; what else binds any says itself that it cannot be.
        Jvm.Result result = new Jvm()
                .option(SUSPECT)
                .refusing(Call.SCHED_SETAFFINITY, EPERM)
                .run(BackendChoiceTest.Probe.class);
        assertThat(result.output())
                .contains(
                        "atomic: kernel 7.0.1 is one of those that may lose updates, and the deep self-test could not"
                                + " be run: a thread of the self-test failed",
                        "sched_setaffinity of thread 0 to CPUs",
                        "failed: errno 1 (EPERM)");
        assertThat(result.status()).isEqualTo(1);
    }

    /** After the library was loaded, has what the deep self-test needs refused, and runs it. */
    static final class ProbeThatCannotTest {
        private ProbeThatCannotTest() {}

        public static void main(String[] arguments) throws InterruptedException {
            System.out.println(PerCpuRuntime.backend());
            Thread refused = new Thread(() -> {
                if (arguments[0].equals("0")) {
                    Seccomp.refuse(Call.MPROTECT, 2, READ_AND_EXECUTE, EPERM);
                } else {
                    Seccomp.refuse(Call.CLONE, EAGAIN);
                    Seccomp.refuse(Call.CLONE3, EAGAIN);
                }
                System.out.println(PerCpuRuntime.runDeepSelfTest().text());
                try {
                    PerCpuRuntime.checkAfterRestore();
                } catch (IllegalStateException e) {
                    System.out.println(e.getMessage());
                }
            });
            refused.start();
            refused.join();
            BackendChoiceTest.Probe.main(arguments);
        }
    }

    @TestInOwnJvm
    void aDeepSelfTestThatCannotRunIsNotOneThatFailed() {
        String unknown =
                "it could not be checked whether restartable sequences still work in this process. The self-test"
                        + " was ";
        String noCode = "not run: there is no executable memory: mprotect";
        assertRuns(new Jvm(), ProbeThatCannotTest.class, 0, "\n" + noCode, unknown + noCode);
        String noThread = "not run: no thread can be started for the self-test";
        assertRuns(new Jvm(), ProbeThatCannotTest.class, 1, "\n" + noThread, unknown + noThread);
    }

    /** Loads the library with as much address space for each place of the area as the argument says. */
    static final class ProbeInLittleAddressSpace {
        private ProbeInLittleAddressSpace() {}

        public static void main(String[] arguments) throws InterruptedException {
            MemoryLimit.ADDRESS_SPACE.leave(Long.parseLong(arguments[0]) * (CpuMask.capacity() + 1));
            long stride;
            try {
                stride = PerCpuRuntime.area().stride();
                PerCpuRuntime.backend();
            } finally {
                // What the JVM needs later on is not what this is about.
                MemoryLimit.ADDRESS_SPACE.unlimit();
            }
            System.out.println(stride < 8 * MIB ? "a small area" : "a large area: " + stride);
            BackendChoiceTest.Probe.main(arguments);
        }
    }

    @TestInOwnJvm
    void littleAddressSpaceMakesASmallArea() {
        assertRuns(little(), ProbeInLittleAddressSpace.class, 5 * MIB, "rseq: ", "a small area");
    }

    /** Loads the library with so much address space, by the first argument; then needs some for itself. */
    static final class ProbeThatNeedsAddressSpace {
        private ProbeThatNeedsAddressSpace() {}

        public static void main(String[] arguments) {
            MemoryLimit.ADDRESS_SPACE.leave(Long.parseLong(arguments[0]));
            try (Arena arena = Arena.ofConfined()) {
                System.out.println("stride=" + PerCpuRuntime.area().stride());
                System.out.println(
                        "left: " + arena.allocate(Long.parseLong(arguments[1])).byteSize());
            } finally {
                MemoryLimit.ADDRESS_SPACE.unlimit();
            }
        }
    }

    /** What an area with places of this size takes, and what the JVM takes while it makes one. */
    private static long areaOf(long stride) {
        return stride * (CpuMask.capacity() + 2) + 24 * MIB;
    }

    private static Jvm.Result needing(Jvm jvm, long space, long needed) {
        return jvm.run(ProbeThatNeedsAddressSpace.class, String.valueOf(space), String.valueOf(needed));
    }

    @TestInOwnJvm
    void theAreaLeavesAddressSpaceToTheJvm() {
        // There is less than what has to be left, so the area is the smallest.
        Jvm.Result result = needing(little(), areaOf(16 * MIB), 32 * MIB);
        assertThat(result.output()).contains("left: ");
        assertThat(result.number("stride")).isEqualTo(MIB);

        // There is more, so the area is larger, but not so large that too little is left.
        result = needing(little().option(LARGE_HEAP), ROOM + areaOf(8 * MIB), ROOM - 16 * MIB);
        assertThat(result.output()).contains("left: ");
        assertThat(result.number("stride")).isGreaterThan(MIB);

        // What the user asks for is not made smaller for that.
        result = needing(little().option("-Dpercpu.area.stride=16m"), areaOf(16 * MIB), 32 * MIB);
        assertThat(result.output()).contains("OutOfMemoryError").doesNotContain("left: ");
        assertThat(result.number("stride")).isEqualTo(16 * MIB);

        // There is no space for that, and a smaller one was not asked for.
        result = needing(little().option("-Dpercpu.area.stride=1g"), areaOf(16 * MIB), 32 * MIB);
        assertThat(result.output()).contains("left: ");
        assertThat(result.number("stride")).isEqualTo(MIB);
    }

    /** Loads the library in a thread that may open no memory; then needs the address space that it tried to take. */
    static final class ProbeThatCannotOpen {
        private ProbeThatCannotOpen() {}

        public static void main(String[] arguments) throws InterruptedException {
            MemoryLimit.ADDRESS_SPACE.leave(areaOf(16 * MIB));
            Thread first = new Thread(() -> {
                Seccomp.refuse(Call.MPROTECT, 2, READ_AND_WRITE, EPERM);
                try {
                    System.out.println("stride " + PerCpuRuntime.area().stride());
                } catch (ExceptionInInitializerError refused) {
                    System.out.println(refused.getCause());
                }
            });
            first.start();
            first.join();
            try (Arena arena = Arena.ofConfined()) {
                System.out.println(
                        "left: " + arena.allocate(areaOf(16 * MIB) - 32 * MIB).byteSize());
            } finally {
                MemoryLimit.ADDRESS_SPACE.unlimit();
            }
        }
    }

    @TestInOwnJvm
    void anAreaThatCannotBeOpenedTakesNoAddressSpace() {
        assertThat(little().option("-Dpercpu.area.stride=16m").outputOf(ProbeThatCannotOpen.class))
                .contains("no address space for the per-CPU area", "left: ");
    }

    /** Loads the library in a thread that may remove no mapping. */
    static final class ProbeThatCannotUnmap {
        private ProbeThatCannotUnmap() {}

        public static void main(String[] arguments) throws InterruptedException {
            Thread first = new Thread(() -> {
                Seccomp.refuse(Call.MUNMAP, EPERM);
                if (arguments[0].equals("0")) {
                    // Then the mapping for code is left.
                    Seccomp.refuse(Call.MPROTECT, 2, READ_AND_EXECUTE, EPERM);
                } else {
                    // Then the mapping for the area is left.
                    Seccomp.refuse(Call.MPROTECT, 2, READ_AND_WRITE, EPERM);
                }
                PerCpuRuntime.backend();
            });
            first.start();
            first.join();
            BackendChoiceTest.Probe.main(arguments);
        }
    }

    @TestInOwnJvm
    void unmappingRefused() {
        assertRuns(new Jvm(), ProbeThatCannotUnmap.class, 0, "atomic: there is no executable memory: mprotect");
        // In neither case is the refusal to unmap what the user hears of.
        assertThat(new Jvm().run(ProbeThatCannotUnmap.class, "1").output())
                .contains("no address space for the per-CPU area", "mprotect(PROT_READ | PROT_WRITE) of 65536 bytes")
                .doesNotContain("AssertionError");
    }

    @TestInOwnJvm
    void tooLittleAddressSpaceIsAnErrorThatNamesTheLimitAndTheProperty() {
        Jvm.Result result = little().run(ProbeInLittleAddressSpace.class, String.valueOf(MIB * 9 / 10));
        assertThat(result.output())
                .contains(
                        "no address space for the per-CPU area, not even 1048576 bytes for each of its "
                                + (CpuMask.capacity() + 2) + " places",
                        "ulimit -v, ulimit -d",
                        "percpu.area.stride",
                        "mmap of",
                        "ENOMEM");
        assertThat(result.status()).isEqualTo(1);

        assertRuns(
                little().option("-Dpercpu.area.stride=65536"),
                ProbeInLittleAddressSpace.class,
                MIB * 9 / 10,
                "rseq: ",
                "a small area");
    }

    /** A JVM that takes hardly any address space by itself while it is limited. */
    private static Jvm little() {
        // Otherwise the C library reserves address space for each thread that allocates. And on AArch64 a stack takes
        // twice as much by default as on x86-64: too much for the threads of the self-test.
        return new Jvm()
                .environment("MALLOC_ARENA_MAX", "1")
                .option("-Xss512k")
                .option("-XX:-UseDynamicNumberOfCompilerThreads")
                .option("-XX:TieredStopAtLevel=1")
                .option("-Dpercpu.places=0");
    }

    @TestInOwnJvm
    void noSysfs() {
        assertRuns(Sysfs.hidden(), BackendChoiceTest.Probe.class, "rseq: restartable sequences work here");
    }

    @TestInOwnJvm
    void aSysfsThatTellsNoListOfCpus() {
        assertRuns(
                Sysfs.telling("devices/system/cpu/possible", "as many as you like"),
                BackendChoiceTest.Probe.class,
                "rseq: restartable sequences work here");
    }

    /** Loads the library on the CPU that the first argument names; counts and owns on the second one. */
    static final class ProbeOnTwoCpus {
        private ProbeOnTwoCpus() {}

        public static void main(String[] arguments) throws InterruptedException {
            Affinity.bind(Integer.parseInt(arguments[0]));
            PerCpuNumeric number = PerCpuNumeric.create(NumericWidth.LONG);
            Thread there = new Thread(() -> {
                Affinity.bind(Integer.parseInt(arguments[1]));
                number.increment();
                try (CpuGuard guard = CpuGuard.acquire()) {
                    System.out.println("guard of " + guard.cpu());
                }
            });
            there.start();
            there.join();
            System.out.println("sum " + number.sum() + ", of which without CPU " + number.elsewhere());
            BackendChoiceTest.Probe.main(arguments);
        }
    }

    @TestInOwnJvm
    void aCpuThatSysfsDoesNotTellOf() {
        String last = String.valueOf(lastCpu());
        assertThat(tellingOfCpu0Only().outputOf(ProbeOnTwoCpus.class, "0", last))
                .contains("rseq: ", "guard of CPU 0", "sum 1, of which without CPU " + Math.min(lastCpu(), 1), "exact");
    }

    @TestInOwnJvm
    void loadedOnACpuThatSysfsDoesNotTellOf() {
        String last = String.valueOf(lastCpu());
        assertThat(tellingOfCpu0Only().outputOf(ProbeOnTwoCpus.class, last, last))
                .contains(
                        lastCpu() == 0
                                ? "rseq: "
                                : "atomic: the self-test failed: the kernel gives this thread no CPU id, or none below 1",
                        "guard of CPU 0",
                        "sum 1,",
                        "exact");
    }

    /** Closes variables in a thread that membarrier is refused to, and then in one that it is not. */
    static final class ProbeThatClosesWithoutMembarrier {
        private ProbeThatClosesWithoutMembarrier() {}

        public static void main(String[] arguments) throws InterruptedException {
            System.out.println(PerCpuRuntime.backend());
            AtomicInteger closed = new AtomicInteger();
            DynamicPerCpu<AutoCloseable> variable = DynamicPerCpu.createWith(() -> closed::incrementAndGet);
            DynamicPerCpu<MemorySegment> memory = DynamicPerCpu.createZero(ValueLayout.JAVA_LONG);
            Thread refused = new Thread(() -> {
                Seccomp.refuse(Call.MEMBARRIER, EPERM);
                for (int i = 0; i < 2; i++) {
                    tryToClose(variable);
                    tryToClose(memory);
                }
            });
            refused.start();
            refused.join();
            System.out.println("closed: " + closed);
            long used = PerCpuRuntime.area().usedBytesPerCpu();
            variable.close();
            memory.close();
            System.out.println("then closed: " + closed);
            System.out.println("given back: " + (used - PerCpuRuntime.area().usedBytesPerCpu()));
            variable.close();
            memory.close();
            System.out.println("finally closed: " + closed);
        }

        private static void tryToClose(DynamicPerCpu<?> variable) {
            try {
                variable.close();
                System.out.println("closed without a fence");
            } catch (IllegalStateException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    @TestInOwnJvm
    void aCloseThatIsRefusedHalfWayIsResumedByTheNext() {
        int cpus = CpuMask.possible().weight();
        assertThat(new Jvm().outputOf(ProbeThatClosesWithoutMembarrier.class))
                .contains(
                        "is closed, but none of its instances is, as the guard of CPU 0 could not be acquired: membarrier",
                        "Close the same handle again",
                        "closed: 0\n",
                        "then closed: " + cpus + "\n",
                        "given back: 8\n",
                        "finally closed: " + cpus + "\n")
                .doesNotContain("closed without a fence");
    }

    private static Jvm tellingOfCpu0Only() {
        return Sysfs.telling("devices/system/cpu/possible", "0");
    }

    private static int lastCpu() {
        return CpuMask.usable().ids().max().orElseThrow();
    }

    private static void assertRuns(Jvm jvm, Class<?> main, String... said) {
        assertRuns(jvm, main, 0, said);
    }

    private static void assertRuns(Jvm jvm, Class<?> main, long argument, String... said) {
        assertThat(jvm.outputOf(main, String.valueOf(argument))).contains(said).contains("exact");
    }
}

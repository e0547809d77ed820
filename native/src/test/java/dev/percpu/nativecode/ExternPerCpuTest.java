package dev.percpu.nativecode;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.CpuGuard;
import dev.percpu.ExternPerCpu;
import dev.percpu.PerCpuNumeric;
import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.memory.AreaFullException;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Deployment;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Collections;
import java.util.NoSuchElementException;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Finding, placing and using variables of C code from Java. */
class ExternPerCpuTest {
    private static final MemoryLayout PAIR =
            MemoryLayout.structLayout(JAVA_LONG.withName("first"), JAVA_LONG.withName("second"));

    private static final MemoryLayout MIXED = MemoryLayout.structLayout(
                    JAVA_BYTE.withName("letter"),
                    MemoryLayout.paddingLayout(7),
                    JAVA_DOUBLE.withName("fraction"),
                    MemoryLayout.sequenceLayout(3, JAVA_INT).withName("numbers"),
                    MemoryLayout.paddingLayout(100))
            .withByteAlignment(128);

    @Test
    void bothSidesUpdateTheSameNumbers() {
        Driver driver = Driver.load("same");
        PerCpuNumeric longs = PerCpuNumeric.declare(driver.lookup(), "a_long", NumericWidth.LONG);
        PerCpuNumeric ints = PerCpuNumeric.declare(driver.lookup(), "an_int", NumericWidth.INT);
        PerCpuNumeric shorts = PerCpuNumeric.declare(driver.lookup(), "a_short", NumericWidth.SHORT);
        PerCpuNumeric bytes = PerCpuNumeric.declare(driver.lookup(), "a_byte", NumericWidth.BYTE);
        driver.runThreads(2, 50, 0, "driver");
        longs.add(-1);
        assertThat(ints.addAndGet(3)).isLessThanOrEqualTo(103);
        shorts.increment();
        bytes.decrement();
        assertThat(longs.sum()).isEqualTo(99);
        assertThat(driver.sumOfLongs()).isEqualTo(99);
        assertThat(ints.sum()).isEqualTo(103);
        assertThat(shorts.sum()).isEqualTo(101);
        assertThat(bytes.sum()).isEqualTo(99);
        assertThat(longs).hasToString("a_long of " + file("same") + " = 99");
    }

    @Test
    void theInitialValueIsOnEachCpu() {
        Driver driver = Driver.load("initial", "-DINITIAL=-5");
        PerCpuNumeric longs = PerCpuNumeric.declare(driver.lookup(), "a_long", NumericWidth.LONG);
        PerCpuNumeric bytes = PerCpuNumeric.declare(driver.lookup(), "a_byte", NumericWidth.BYTE);
        assertThat(longs.sum()).isEqualTo(-5L * CpuMask.possible().weight());
        assertThat(longs.elsewhere()).isZero();
        for (CpuId cpu : CpuMask.possible()) {
            assertThat(longs.get(cpu)).isEqualTo(-5);
            assertThat(bytes.get(cpu)).isEqualTo(-5);
        }
        assertThat(driver.getLong()).isEqualTo(-5);
    }

    @Test
    void aStructIsWhereCSeesItAndAsCLaysItOut() {
        Driver driver = Driver.load("structs");
        ExternPerCpu<MemorySegment> mixed = ExternPerCpu.declare(driver.lookup(), "a_mixed", MIXED);
        mixed.forEachCpu((cpu, memory) -> {
            assertThat(memory.address()).isEqualTo(driver.addressOfMixed(cpu.id()));
            assertThat(memory.address() % 128).isZero();
            assertThat(memory.get(JAVA_BYTE, 0)).isEqualTo((byte) 'm');
            assertThat(memory.get(JAVA_DOUBLE, 8)).isEqualTo(0.5);
            assertThat(memory.get(JAVA_INT, 24)).isEqualTo(3);
        });
        assertThat(mixed.toString())
                .startsWith("extern per-CPU variable a_mixed of ")
                .contains(" at position ");
    }

    @Test
    void aTokenAndCCodeTakeTurns() {
        Driver driver = Driver.load("turns");
        ExternPerCpu<MemorySegment> pair = ExternPerCpu.declare(driver.lookup(), "a_pair", PAIR);
        driver.runThreads(2, 0, 100, "driver");
        pair.run(memory -> memory.set(JAVA_LONG, 0, memory.get(JAVA_LONG, 0) + 1));
        long[] sums = new long[2];
        pair.forEachCpu((cpu, memory) -> {
            sums[0] += memory.get(JAVA_LONG, 0);
            sums[1] += memory.get(JAVA_LONG, 8);
        });
        assertThat(sums).containsExactly(201, 200);
    }

    @Test
    void whatCodeInCDidBeforeIsThere() {
        Driver driver = Driver.load("c-first", "-DINITIAL=7");
        driver.runThreads(2, 1000, 1000, "driver");
        assertThat(driver.isShared()).isFalse();
        PerCpuNumeric longs = PerCpuNumeric.declare(driver.lookup(), "a_long", NumericWidth.LONG);
        assertThat(driver.isShared()).isTrue();
        long initial = 7L * CpuMask.possible().weight();
        assertThat(longs.sum()).isEqualTo(initial + 2000);
        driver.runThreads(2, 1000, 1000, "driver");
        assertThat(longs.sum()).isEqualTo(initial + 4000);
        assertThat(driver.sumOfLongs()).isEqualTo(initial + 4000);
        assertThat(driver.disagreements(1)).isZero();
    }

    /** As where the library was built with another C library: none of its threads has a CPU id for it. */
    @Test
    void codeInCWithoutSequencesGoesTogetherWithJavaThatHasThem() {
        Driver driver = Driver.load("no-sequences", "-DPERCPU_NO_RSEQ");
        driver.runThreads(2, 1000, 1000, "driver");
        PerCpuNumeric longs = PerCpuNumeric.declare(driver.lookup(), "a_long", NumericWidth.LONG);
        ExternPerCpu<MemorySegment> pair = ExternPerCpu.declare(driver.lookup(), "a_pair", PAIR);
        driver.runThreads(2, 1000, 1000, "driver");
        longs.add(5);
        assertThat(longs.sum()).isEqualTo(4005);
        if (PerCpuRuntime.backend().equals("rseq")) {
            // What it did before stays where it was: without sequences, on the CPUs.
            assertThat(longs.elsewhere()).isEqualTo(2000);
        }
        assertThat(driver.sumOfLongs()).isEqualTo(4005);
        long[] sum = new long[1];
        pair.forEachCpu((cpu, memory) -> sum[0] += memory.get(JAVA_LONG, 0));
        assertThat(sum[0]).isEqualTo(4000);
        assertThat(driver.disagreements(1)).isZero();
    }

    @Test
    void librariesHaveVariablesOfTheSameNameEach() {
        Driver one = Driver.load("one", "-DINITIAL=1");
        Driver two = Driver.load(Compiler.CLANG, "two", Arena.global(), "-DINITIAL=2");
        PerCpuNumeric first = PerCpuNumeric.declare(one.lookup(), "a_long", NumericWidth.LONG);
        PerCpuNumeric second = PerCpuNumeric.declare(two.lookup(), "a_long", NumericWidth.LONG);
        long cpus = CpuMask.possible().weight();
        one.runThreads(1, 10, 0, "driver");
        assertThat(first.sum()).isEqualTo(cpus + 10);
        assertThat(second.sum()).isEqualTo(2 * cpus);
        PerCpuNumeric again = PerCpuNumeric.declare(one.lookup(), "a_long", NumericWidth.LONG);
        again.add(5);
        assertThat(first.sum()).isEqualTo(cpus + 15);
    }

    @Test
    void aMissingSymbolIsNamed() {
        SymbolLookup lookup = Driver.load("errors").lookup();
        assertThatThrownBy(() -> PerCpuNumeric.declare(lookup, "no_such", NumericWidth.LONG))
                .isInstanceOf(NoSuchElementException.class)
                .hasMessageContaining("no_such");
        assertThatThrownBy(() -> ExternPerCpu.declare(lookup, "no_such", PAIR))
                .isInstanceOf(NoSuchElementException.class)
                .hasMessageContaining("no_such");
    }

    @Test
    void anotherSizeIsNamed() {
        SymbolLookup lookup = Driver.load("errors").lookup();
        assertThatThrownBy(() -> PerCpuNumeric.declare(lookup, "an_int", NumericWidth.LONG))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("an_int of " + file("errors") + " has 4 bytes, not the 8 of LONG");
        assertThatThrownBy(() -> PerCpuNumeric.declare(lookup, "a_pair", NumericWidth.LONG))
                .hasMessageContaining("16 bytes, not the 8 of LONG");
        assertThatThrownBy(() -> ExternPerCpu.declare(lookup, "a_long", PAIR))
                .hasMessageContaining("8 bytes, not the 16");
        // Smaller variables lie beside a_long, so it has no such alignment by chance.
        MemoryLayout aligned = MemoryLayout.structLayout(JAVA_LONG).withByteAlignment(4096);
        assertThatThrownBy(() -> ExternPerCpu.declare(lookup, "a_long", aligned))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a_long")
                .hasMessageContaining("4096");
        assertThatThrownBy(() -> PerCpuNumeric.declare(lookup, "unaligned", NumericWidth.LONG))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("unaligned of " + file("errors")
                        + " is not aligned to the 8 bytes of LONG: align its type in C");
    }

    @Test
    void whatIsInNoPerCpuSectionIsNamed() {
        SymbolLookup lookup = Driver.load("errors").lookup();
        assertThatThrownBy(() -> PerCpuNumeric.declare(lookup, "ordinary", NumericWidth.LONG))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("ordinary is an ordinary symbol, not a per-CPU variable: define it with DEFINE_PER_CPU");
        assertThatThrownBy(() -> PerCpuNumeric.declare(lookup, "elsewhere", NumericWidth.LONG))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("elsewhere of " + file("errors") + " does not lie in the library's per-CPU section");
        MemoryLayout tooLong = MemoryLayout.sequenceLayout(1 << 20, JAVA_BYTE);
        assertThatThrownBy(() -> ExternPerCpu.declare(lookup, "too_long", tooLong))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("too_long of " + file("errors") + " does not lie in the library's per-CPU section");
        assertThatThrownBy(() -> PerCpuNumeric.declare(lookup, "of_the_future", NumericWidth.LONG))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is of version 77 of percpu.h, not 4");
        assertThatThrownBy(() -> PerCpuNumeric.declare(lookup, "forged", NumericWidth.LONG))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("was not made by percpu.h");
    }

    @Test
    void anUnloadedLibraryIsNamed() {
        Driver driver;
        PerCpuNumeric longs;
        ExternPerCpu<MemorySegment> pair;
        try (Arena arena = Arena.ofShared()) {
            driver = Driver.load(Compiler.GCC, "unloaded", arena);
            longs = PerCpuNumeric.declare(driver.lookup(), "a_long", NumericWidth.LONG);
            pair = ExternPerCpu.declare(driver.lookup(), "a_pair", PAIR);
            longs.add(3);
        }
        String message = "a_long of " + file("unloaded") + ": the arena of its lookup has been closed";
        assertThatThrownBy(longs::increment)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(message);
        assertThatThrownBy(longs::get).hasMessage(message);
        assertThatThrownBy(longs::sum).hasMessage(message);
        assertThatThrownBy(() -> pair.run(memory -> {}))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("a_pair of " + file("unloaded"));
        assertThatThrownBy(() -> PerCpuNumeric.declare(driver.lookup(), "a_long", NumericWidth.LONG))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("a_long: the arena of this lookup has been closed");
        assertThat(longs).hasToString("a_long of " + file("unloaded") + ": the arena of its lookup has been closed");

        // The library has kept itself loaded, for the kernel's sake, and its variables with it.
        Driver again = Driver.load("unloaded");
        assertThat(PerCpuNumeric.declare(again.lookup(), "a_long", NumericWidth.LONG)
                        .sum())
                .isEqualTo(3);
    }

    @Test
    void aLibraryThatFindsNoRoomIsNamed() {
        long more = PerCpuRuntime.area().stride() + 1;
        Driver driver = Driver.load("large", "-DLARGE=" + more);
        driver.runThreads(1, 10, 0, "driver");
        for (int attempt = 0; attempt < 2; attempt++) {
            assertThatThrownBy(() -> PerCpuNumeric.declare(driver.lookup(), "a_long", NumericWidth.LONG))
                    .isInstanceOf(AreaFullException.class)
                    .hasMessageContaining("the per-CPU variables of " + file("large"));
        }
        assertThat(driver.isShared()).isFalse();
        driver.runThreads(1, 10, 0, "driver");
        assertThat(driver.sumOfLongs()).isEqualTo(20);
    }

    /** A signal handler that leaves an update by siglongjmp leaves the thread in the middle of it. */
    @Test
    void anUpdateThatDoesNotEndKeepsTheVariablesWhereTheyAre() {
        Driver driver = Driver.load("left", "-DPERCPU_ATTEMPTS=3");
        driver.runThreads(1, 1000, 0, "driver");
        driver.beginUpdate();
        assertThatThrownBy(() -> PerCpuNumeric.declare(driver.lookup(), "a_long", NumericWidth.LONG))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(file("left"))
                .hasMessageContaining("has not come to the end of an operation on them");
        assertThat(driver.isShared()).isFalse();
        driver.runThreads(1, 1000, 0, "driver");
        driver.endUpdate();
        PerCpuNumeric longs = PerCpuNumeric.declare(driver.lookup(), "a_long", NumericWidth.LONG);
        assertThat(longs.sum()).isEqualTo(2000);
    }

    @Test
    void aSecondCopyOfTheLibraryInTheProcessIsRefused() throws Exception {
        Driver driver = Driver.load("twice");
        PerCpuNumeric longs = PerCpuNumeric.declare(driver.lookup(), "a_long", NumericWidth.LONG);
        try (URLClassLoader other = Deployment.loader()) {
            Class<?> declares = other.loadClass(PerCpuNumeric.class.getName());
            Class<?> width = other.loadClass(NumericWidth.class.getName());
            assertThatThrownBy(() -> declares.getMethod("declare", SymbolLookup.class, String.class, width)
                            .invoke(
                                    null,
                                    driver.lookup(),
                                    "a_long",
                                    width.getField("LONG").get(null)))
                    .cause()
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("the per-CPU variables of " + file("twice"))
                    .hasMessageContaining("another per-CPU area already");
        }
        longs.increment();
        assertThat(driver.sumOfLongs()).isEqualTo(1);
    }

    @Test
    void threadsDeclareTheSameLibraryAtTheSameTime() throws Exception {
        for (int round = 0; round < 20; round++) {
            Driver driver = Driver.load("at-once-" + round);
            int threads = 4;
            CyclicBarrier start = new CyclicBarrier(threads);
            Callable<Void> declaring = () -> {
                start.await();
                PerCpuNumeric.declare(driver.lookup(), "a_long", NumericWidth.LONG)
                        .increment();
                return null;
            };
            try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
                for (Future<Void> declared : executor.invokeAll(Collections.nCopies(threads, declaring))) {
                    declared.get();
                }
            }
            assertThat(driver.sumOfLongs()).isEqualTo(threads);
        }
    }

    @Test
    void tokensOfTwoDeclarationsSeeEachOther() {
        SymbolLookup lookup = Driver.load("declared-twice").lookup();
        ExternPerCpu<MemorySegment> once = ExternPerCpu.declare(lookup, "a_pair", PAIR);
        ExternPerCpu<Long> twice = ExternPerCpu.declare(lookup, "a_pair", PAIR, MemorySegment::address);
        assertThat(once.ptr()).isEqualTo(twice.ptr()).hasSameHashCodeAs(twice.ptr());
        try (CpuGuard guard = CpuGuard.acquire()) {
            once.getMut(guard).run(memory -> assertThat(memory.byteSize()).isEqualTo(16));
            assertThatThrownBy(() -> twice.getMut(guard)).hasMessageContaining("aliasing");
        }
    }

    @Test
    void viewsAreClosedIfAnotherCannotBeCreated() {
        SymbolLookup lookup = Driver.load("broken-views").lookup();
        int cpus = CpuMask.possible().weight();
        AtomicInteger made = new AtomicInteger();
        AtomicInteger closed = new AtomicInteger();
        assertThatThrownBy(() -> ExternPerCpu.<AutoCloseable>declare(lookup, "a_pair", PAIR, _ -> {
                    if (made.incrementAndGet() == cpus) {
                        throw new IllegalArgumentException("no more");
                    }
                    return closed::incrementAndGet;
                }))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no more");
        assertThat(closed).hasValue(cpus - 1);
    }

    /** C code that holds a guard of the library's may be waiting for this thread's. */
    @Test
    void aLibraryIsNotPlacedByWhoHoldsAGuard() {
        Driver driver = Driver.load("under-guard");
        try (CpuGuard guard = CpuGuard.acquire()) {
            assertThatThrownBy(() -> ExternPerCpu.declare(driver.lookup(), "a_pair", PAIR))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageStartingWith("this thread holds the guard of " + guard.cpu())
                    .hasMessageContaining("to place the per-CPU variables of " + file("under-guard")
                            + " (declare one of them before any");
            assertThat(driver.isShared()).isFalse();
        }
        ExternPerCpu.declare(driver.lookup(), "a_pair", PAIR);
        try (CpuGuard guard = CpuGuard.acquire()) {
            ExternPerCpu<MemorySegment> pair = ExternPerCpu.declare(driver.lookup(), "a_pair", PAIR);
            pair.getMut(guard).run(memory -> assertThat(memory.byteSize()).isEqualTo(16));
        }
    }

    @Test
    void variablesMoveAwayFromAGuardWhoseOwnerDied() {
        Driver driver = Driver.load("died-before");
        driver.dieWithGuardOf(0);
        ExternPerCpu<MemorySegment> pair = ExternPerCpu.declare(driver.lookup(), "a_pair", PAIR);
        assertThat(driver.isShared()).isTrue();
        driver.runThreads(2, 0, 100, "driver");
        long[] sum = new long[1];
        pair.forEachCpu((cpu, memory) -> sum[0] += memory.get(JAVA_LONG, 0));
        assertThat(sum[0]).isEqualTo(200);
    }

    @Test
    void theHandleOfANumberIsNotToBeClosed() {
        SymbolLookup lookup = Driver.load("errors").lookup();
        PerCpuNumeric longs = PerCpuNumeric.declare(lookup, "a_long", NumericWidth.LONG);
        assertThat(longs).isNotInstanceOf(AutoCloseable.class);
        ExternPerCpu<MemorySegment> pair = ExternPerCpu.declare(lookup, "a_pair", PAIR);
        try (CpuGuard guard = CpuGuard.acquire()) {
            pair.getMut(guard).run(memory -> assertThat(memory.byteSize()).isEqualTo(16));
            assertThatThrownBy(() -> pair.getMut(guard)).hasMessageContaining("aliasing");
        }
    }

    private static String file(String name) {
        return Path.of("target", "native", name + ".so").toAbsolutePath().toString();
    }
}

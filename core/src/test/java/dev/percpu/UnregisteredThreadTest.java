package dev.percpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.cpu.CpuId;
import dev.percpu.internal.linux.Architecture;
import dev.percpu.internal.linux.RseqRegistration;
import dev.percpu.testing.Workers;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Threads whose registration for restartable sequences was undone, beside threads that have one. The kernel sets such a
 * thread's CPU id to -1; it counts in the place of no CPU, and owns CPUs as if from another one.
 */
@Tag("rseq")
class UnregisteredThreadTest {
    private static final int UNREGISTER = 1;
    private static final int SIGNATURE = 0x53053053;

    /** The kernel wants the size that the C library registered with: it is 32 for the original structure. */
    private static final int[] REGISTERED_SIZES = {32, 33, 40, 48, 64};

    @Test
    void countsOwnsAndExcludesExactly() throws InterruptedException {
        int threads = 8;
        int rounds = 50_000;
        PerCpuNumeric pure = PerCpuNumeric.create(NumericWidth.LONG);
        PerCpuDouble doubles = PerCpuDouble.create(0);
        StaticPerCpu<NumericCell> cells = StaticPerCpu.defineNumeric("cells", NumericWidth.LONG, 0);
        PerCpuNumeric guarded = PerCpuNumeric.of(cells);
        StaticPerCpu<long[]> pairs = StaticPerCpu.define("pairs", () -> new long[2]);
        PerCpuHistogram histogram = PerCpuHistogram.builder().build();
        Workers.run("unregistered-", threads, number -> {
            if (number % 2 == 0) {
                unregister();
            }
            for (int round = 0; round < rounds; round++) {
                pure.increment();
                doubles.add(1);
                guarded.increment();
                histogram.record(7);
                try (CpuGuard guard = CpuGuard.acquire()) {
                    pairs.getMut(guard).run(pair -> {
                        pair[0]++;
                        pair[1]++;
                    });
                    try (CpuGuard nested = CpuGuard.acquire()) {
                        assertThat(nested.cpu()).isNotNull();
                    }
                }
                assertThat(CpuId.current()).isNotNull();
            }
        });
        long all = (long) threads * rounds;
        assertThat(pure.sum()).isEqualTo(all);
        assertThat(pure.sumWithoutCpu()).isEqualTo(all / 2);
        assertThat(doubles.sum()).isEqualTo((double) all);
        assertThat(guarded.sum()).isEqualTo(all);
        assertThat(histogram.snapshot().count()).isEqualTo(all);
        assertThat(histogram.snapshot().sum()).isEqualTo(7 * all);
        long[] total = new long[1];
        pairs.forEachCpu((cpu, pair) -> {
            assertThat(pair[1]).isEqualTo(pair[0]);
            total[0] += pair[0];
        });
        assertThat(total[0]).isEqualTo(all);
    }

    /** Undoes the C library's registration of the calling thread. */
    private static void unregister() {
        RseqRegistration registration = RseqRegistration.read();
        Linker linker = Linker.nativeLinker();
        MethodHandle syscall = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("syscall"),
                FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT),
                Linker.Option.firstVariadicArg(1));
        long area = threadPointer(linker) + registration.offset();
        try {
            for (int size : REGISTERED_SIZES) {
                long result = (long) syscall.invokeExact(rseqNumber(), area, size, UNREGISTER, SIGNATURE);
                if (result == 0) {
                    return;
                }
            }
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
        throw new AssertionError("the kernel does not undo the registration of any known size");
    }

    private static long rseqNumber() {
        return Architecture.current() == Architecture.X86_64 ? 334 : 293;
    }

    /** On x86-64 pthread_self() is the thread pointer. */
    private static long threadPointer(Linker linker) {
        MethodHandle self = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("pthread_self"), FunctionDescriptor.of(ADDRESS));
        try {
            return ((java.lang.foreign.MemorySegment) self.invokeExact()).address();
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}

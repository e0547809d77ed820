package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PerCpuSummary;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.memory.AreaFullException;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.LockedMemory;
import dev.percpu.testing.MemoryLimit;
import dev.percpu.testing.VmTest;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * How much the per-CPU area takes of address space, of memory, and of what limits there are. Each in a JVM of its own.
 */
@Tag("native")
@VmTest("strict")
class AreaReservationTest {
    private static final long MIB = 1 << 20;

    /** Makes 5,000 precise histograms without any property. */
    static final class ProbeWithManyHistograms {
        private ProbeWithManyHistograms() {}

        public static void main(String[] arguments) throws IOException {
            List<PerCpuHistogram> histograms = new ArrayList<>();
            for (int i = 0; i < 5_000; i++) {
                histograms.add(PerCpuHistogram.builder()
                        .relativeError(0.01)
                        .highestTrackable(TimeUnit.HOURS.toNanos(1))
                        .build());
            }
            System.out.println("megabytes: " + PerCpuRuntime.area().usedBytesPerCpu() / MIB);
            histograms.forEach(histogram -> histogram.record(1_000));
            System.out.println("counted: "
                    + histograms.stream()
                            .mapToLong(histogram -> histogram.snapshot().count())
                            .sum());
            // One for the open part of each place, and one for the rest. This thread may have a place of its own.
            System.out.println("few mappings: " + (mappings() <= 2L * (CpuMask.capacity() + 3)));
        }

        /** How many mappings the area consists of. */
        private static long mappings() throws IOException {
            long start = Area.BASE;
            long end = start + Area.reservedBytes();
            try (var lines = Files.lines(Path.of("/proc/self/maps"))) {
                return lines.map(line -> Long.parseUnsignedLong(line.substring(0, line.indexOf('-')), 16))
                        .filter(address -> address >= start && address < end)
                        .count();
            }
        }
    }

    @Test
    void thousandsOfLargeVariablesNeedNoProperty() {
        assertThat(Jvm.asHere().outputOf(ProbeWithManyHistograms.class))
                .containsPattern("megabytes: 1[78].")
                .contains("counted: 5000", "few mappings: true");
    }

    /** Has all memory locked before the library is loaded. */
    static final class ProbeWithLockedMemory {
        private ProbeWithLockedMemory() {}

        public static void main(String[] arguments) throws IOException {
            LockedMemory.lockFuture();
            PerCpuNumeric number = PerCpuNumeric.define("number", NumericWidth.LONG);
            number.increment();
            System.out.println("sum: " + number.sum());
            System.out.println("kilobytes of a place: " + AreaPages.residentBytes() / (CpuMask.capacity() + 1) / 1024);
        }
    }

    @Test
    void whereMemoryIsLockedOnlyWhatVariablesHaveIsResident() {
        assertThat(Jvm.asHere().outputOf(ProbeWithLockedMemory.class))
                .contains("sum: 1\n")
                .containsPattern("kilobytes of a place: [0-9]{1,2}\n");
    }

    /** Has little memory left for the area, fills that, and goes on when there is more. */
    static final class ProbeWithLittleMemory {
        private static final MemoryLayout PIECE = MemoryLayout.sequenceLayout(64 << 10, ValueLayout.JAVA_BYTE);

        /** The library leaves 8 MiB. */
        private static final long LEFT = 6 * MIB;

        private ProbeWithLittleMemory() {}

        public static void main(String[] arguments) {
            MemoryLimit.DATA.leave(8 * MIB * (CpuMask.capacity() + 1));
            List<DynamicPerCpu<MemorySegment>> variables = new ArrayList<>();
            long used;
            try {
                while (true) {
                    used = PerCpuRuntime.area().usedBytesPerCpu();
                    variables.add(DynamicPerCpu.createZero(PIECE));
                }
            } catch (AreaFullException full) {
                used = PerCpuRuntime.area().usedBytesPerCpu();
                System.out.println(full.getMessage());
                useMemory();
            } finally {
                MemoryLimit.DATA.unlimit();
            }
            System.out.println("stride: " + PerCpuRuntime.area().stride() / MIB);
            System.out.println("the same: " + (used == PerCpuRuntime.area().usedBytesPerCpu()));
            System.out.println("several: " + (variables.size() > 10));
            for (int i = 0; i < 100; i++) {
                variables.add(DynamicPerCpu.createZero(PIECE));
            }
            variables.forEach(variable -> variable.forEachCpu((cpu, memory) -> memory.fill((byte) 1)));
            System.out.println("done");
        }

        /** As a JVM does at any time, for a thread's stack or in the compilers. */
        private static void useMemory() {
            try (Arena arena = Arena.ofConfined()) {
                System.out.println("left: " + arena.allocate(LEFT).byteSize() / MIB);
            }
        }
    }

    @Test
    void memoryThatIsRefusedLeavesAllAsItWas() {
        // How much memory the compilers need is not known.
        assertThat(Jvm.asHere().option("-Xint").outputOf(ProbeWithLittleMemory.class))
                .contains(
                        "a dynamic per-CPU variable needs 65536 bytes in the place of each of ",
                        "the kernel refuses to open more of the per-CPU area",
                        "ulimit -d",
                        "left: 6",
                        "the same: true",
                        "several: true",
                        "done")
                .containsPattern("stride: [0-9]{3,}");
    }

    /** Drops a piece beside the part of the area that is not open yet, and needs both together. */
    static final class ProbeThatFindsTooLittle {
        private ProbeThatFindsTooLittle() {}

        public static void main(String[] arguments) {
            makeAndDrop(64 * MIB);
            // Less than the library leaves to the JVM.
            MemoryLimit.DATA.leave(4 * MIB);
            try {
                makeAndDrop(96 * MIB);
            } catch (AreaFullException full) {
                System.out.println(full.getMessage());
            }
        }

        private static void makeAndDrop(long bytes) {
            DynamicPerCpu<MemorySegment> _ =
                    DynamicPerCpu.createZero(MemoryLayout.sequenceLayout(bytes, ValueLayout.JAVA_BYTE));
        }
    }

    /** Nothing is large enough at first. Once the collector has found the piece, it is only the kernel that refuses. */
    @Test
    void theMessageTellsWhyItFailedAtLast() {
        assertThat(Jvm.asHere()
                        .option("-Xint")
                        .option("-Dpercpu.area.stride=128m")
                        .outputOf(ProbeThatFindsTooLittle.class))
                .contains("the kernel refuses");
    }

    /** Fills the area that the property sets. */
    static final class ProbeThatFills {
        private ProbeThatFills() {}

        public static void main(String[] arguments) {
            System.out.println("stride: " + PerCpuRuntime.area().stride());
            MemoryLayout half = MemoryLayout.sequenceLayout(PerCpuRuntime.area().stride() / 2, ValueLayout.JAVA_BYTE);
            StaticPerCpu.define("the first half", half);
            try {
                StaticPerCpu.define("the second half", half);
            } catch (AreaFullException full) {
                System.out.println(full.getMessage());
            }
        }
    }

    @Test
    void thePropertyTakesSuffixesAndTheMessageNamesAValueThatWouldDo() {
        assertThat(Jvm.asHere().option("-Dpercpu.area.stride=64m").outputOf(ProbeThatFills.class))
                .contains("stride: 67108864\n", "enlarge the area with -Dpercpu.area.stride=128m\n");
        assertThat(Jvm.asHere().option("-Dpercpu.area.stride=128M").outputOf(ProbeThatFills.class))
                .contains("stride: 134217728\n", "-Dpercpu.area.stride=256m\n");
    }

    /** Fills the area, and then makes each structure, with a name and without. */
    static final class ProbeThatMakesStructures {
        private ProbeThatMakesStructures() {}

        public static void main(String[] arguments) {
            try {
                while (true) {
                    PerCpuNumeric.define("one of many", NumericWidth.LONG);
                }
            } catch (AreaFullException full) {
                tell(full);
            }
            tryAll(
                    () -> new PerCpuDoubleAccumulator(Math::max, 0),
                    PerCpuSummary::new,
                    () -> new PerCpuCounterArray("codes", 3),
                    () -> PerCpuPool.builder(8, Object::new).name("buffers").build(),
                    () -> PerCpuPool.builder(8, Object::new).build(),
                    () -> PerCpuHistogram.builder().name("latencies").build());
            for (NamesTest.Named each : NamesTest.Named.ALL) {
                if (each.type().startsWith("PerCpu")) {
                    tryAll(() -> each.maker().apply("any structure"));
                }
            }
        }

        private static void tryAll(Supplier<?>... structures) {
            for (Supplier<?> structure : structures) {
                try {
                    System.out.println("made: " + structure.get());
                } catch (AreaFullException full) {
                    tell(full);
                }
            }
        }

        /** Whose memory it was, up to how much that is. */
        private static void tell(AreaFullException full) {
            System.out.println(full.getMessage().replaceFirst(" needs [0-9]+ bytes .*", ""));
        }
    }

    @Test
    void theMessageOfAFullAreaNamesWhatTheUserMade() {
        String output = Jvm.asHere().option("-Dpercpu.area.stride=4096").outputOf(ProbeThatMakesStructures.class);
        assertThat(output.lines())
                .filteredOn(line -> line.startsWith("made") || !line.contains("any structure"))
                .containsExactly(
                        "one of many",
                        "a PerCpuDoubleAccumulator",
                        "a PerCpuSummary",
                        "codes of length 3",
                        "pool \"buffers\"",
                        "a PerCpuPool",
                        "latencies of 1890 buckets, 32 for each power of two from 1 to 9223372036854775807");
    }
}

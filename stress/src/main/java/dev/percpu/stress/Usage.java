package dev.percpu.stress;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.internal.area.Area;
import dev.percpu.testing.CLibrary;
import dev.percpu.testing.MemoryLimit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.SequenceLayout;
import java.lang.invoke.MethodHandle;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * What the process uses at a moment at which no structure is in use and what nobody can reach was collected. In a
 * process that runs for long, none of these may go on growing.
 *
 * @param resident bytes of memory, after the C library has given back what is free
 * @param malloc bytes that the JVM and all libraries have from the C library
 * @param heap bytes of objects
 * @param area bytes of each CPU's place that variables have
 * @param threads how many
 * @param descriptors how many files are open
 * @param classes how many are loaded
 */
record Usage(long resident, long malloc, long heap, long area, int threads, long descriptors, int classes) {
    /** The first finds what is unreachable, and the second what that kept. */
    private static final int COLLECTIONS = 2;

    /** For the thread that gives the area's pieces back. */
    private static final long PAUSE_MILLIS = 200;

    private static final Path OPEN_FILES = Path.of("/proc/self/fd");

    /** The numbers that mallinfo2 returns; of them, the bytes of mapped blocks, and of all others in use. */
    private static final SequenceLayout NUMBERS = MemoryLayout.sequenceLayout(10, JAVA_LONG);

    private static final int MAPPED = 4;
    private static final int IN_USE = 7;

    private static final MethodHandle MALLINFO =
            CLibrary.function("mallinfo2", FunctionDescriptor.of(MemoryLayout.structLayout(NUMBERS)));
    private static final MethodHandle MALLOC_TRIM =
            CLibrary.function("malloc_trim", FunctionDescriptor.of(JAVA_INT, JAVA_LONG));

    static Usage now() throws InterruptedException {
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        }
        long malloc = mallocBytesInUse();
        return new Usage(
                MemoryLimit.bytes("VmRSS:"),
                malloc,
                ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
                Area.usedBytesPerCpu(),
                ManagementFactory.getThreadMXBean().getThreadCount(),
                openFiles(),
                ManagementFactory.getClassLoadingMXBean().getLoadedClassCount());
    }

    /** Also has the C library give back to the kernel what is free. */
    private static long mallocBytesInUse() {
        try (Arena arena = Arena.ofConfined()) {
            int _ = (int) MALLOC_TRIM.invokeExact(0L);
            MemorySegment numbers = (MemorySegment) MALLINFO.invokeExact((SegmentAllocator) arena);
            return numbers.getAtIndex(JAVA_LONG, MAPPED) + numbers.getAtIndex(JAVA_LONG, IN_USE);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    private static long openFiles() {
        try (Stream<Path> files = Files.list(OPEN_FILES)) {
            return files.count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%,d KiB resident, %,d KiB of malloc, %,d KiB heap, %,d bytes of each CPU's place, %d threads, %d descriptors, %,d classes",
                resident >> 10,
                malloc >> 10,
                heap >> 10,
                area,
                threads,
                descriptors,
                classes);
    }
}

package dev.percpu.stress;

import dev.percpu.internal.area.Area;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * What the process uses at a moment at which no structure is in use and what nobody can reach was collected. In a
 * process that runs for long, none of these may go on growing.
 *
 * @param resident bytes of memory
 * @param heap bytes of objects
 * @param area bytes of each CPU's place that variables have
 * @param threads how many
 * @param descriptors how many files are open
 * @param classes how many are loaded
 */
record Usage(long resident, long heap, long area, int threads, long descriptors, int classes) {
    /** The first finds what is unreachable, and the second what that kept. */
    private static final int COLLECTIONS = 2;

    /** For the thread that gives the area's pieces back. */
    private static final long PAUSE_MILLIS = 200;

    private static final Path SELF = Path.of("/proc/self");

    static Usage now() throws InterruptedException {
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        }
        return new Usage(
                residentBytes(),
                ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
                Area.usedBytesPerCpu(),
                ManagementFactory.getThreadMXBean().getThreadCount(),
                openFiles(),
                ManagementFactory.getClassLoadingMXBean().getLoadedClassCount());
    }

    private static long residentBytes() {
        try (Stream<String> lines = Files.lines(SELF.resolve("status"))) {
            String kibibytes = lines.filter(line -> line.startsWith("VmRSS:"))
                    .findFirst()
                    .orElseThrow()
                    .replaceAll("\\D", "");
            return Long.parseLong(kibibytes) << 10;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long openFiles() {
        try (Stream<Path> files = Files.list(SELF.resolve("fd"))) {
            return files.count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return "%,d KiB resident, %,d KiB heap, %,d bytes of each CPU's place, %d threads, %d descriptors, %,d classes"
                .formatted(resident >> 10, heap >> 10, area, threads, descriptors, classes);
    }
}

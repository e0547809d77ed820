package dev.percpu.stress;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** The stacks of all threads, virtual ones too, in a file. */
final class ThreadDump {
    private ThreadDump() {}

    /** Writes them into a new file, and tells which. */
    static Path write() {
        try {
            Path file = Files.createTempDirectory("percpu-stress").resolve("threads.txt");
            ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                    .dumpThreads(file.toString(), HotSpotDiagnosticMXBean.ThreadDumpFormat.TEXT_PLAIN);
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

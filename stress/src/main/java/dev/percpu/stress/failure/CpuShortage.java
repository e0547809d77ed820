package dev.percpu.stress.failure;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/**
 * Whether a process does nothing because it has no CPU: it has a low priority, and the machine is busy. Such a
 * process is only slow. One that hangs waits for something else, and the kernel does not count that.
 */
final class CpuShortage {
    /** Threads that only do the JVM's housekeeping wait for far less than half of the time. */
    private static final int PART = 2;

    /** In a thread's "schedstat": nanoseconds on a CPU, nanoseconds ready for one and without, and how often it ran. */
    private static final int READY = 1;

    private final Path tasks;
    private final LongSupplier clock;
    private long ready;
    private long at;

    /** Looks at a process from now on. */
    CpuShortage(long process) {
        this(Path.of("/proc/" + process + "/task"), System::nanoTime);
    }

    CpuShortage(Path tasks, LongSupplier clock) {
        this.tasks = tasks;
        this.clock = clock;
        boolean _ = isNow();
    }

    /** Whether this process gets nowhere because others have the CPUs. It looks for a second. */
    static boolean isHere() throws InterruptedException {
        try {
            CpuShortage shortage = new CpuShortage(ProcessHandle.current().pid());
            TimeUnit.SECONDS.sleep(1);
            return shortage.isNow();
        } catch (OutOfMemoryError full) {
            return false;
        }
    }

    /**
     * Whether the process's threads together were ready to run, and had no CPU, for half of the time since the last
     * call. False if the kernel does not tell.
     */
    boolean isNow() {
        long nowReady = ready();
        long now = clock.getAsLong();
        boolean isNow = nowReady - ready > (now - at) / PART;
        ready = nowReady;
        at = now;
        return isNow;
    }

    private long ready() {
        try (Stream<Path> threads = Files.list(tasks)) {
            return threads.mapToLong(CpuShortage::ready).sum();
        } catch (IOException | UncheckedIOException ended) {
            return 0;
        }
    }

    private static long ready(Path thread) {
        try {
            List<String> lines = Files.readAllLines(thread.resolve("schedstat"));
            return lines.isEmpty() ? 0 : Long.parseLong(lines.getFirst().split(" ", -1)[READY]);
        } catch (IOException ended) {
            return 0;
        }
    }
}

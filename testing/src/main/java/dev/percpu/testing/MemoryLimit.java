package dev.percpu.testing;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much memory of a kind this process may take. */
public enum MemoryLimit {
    /** Address space, as {@code ulimit -v} limits it. */
    ADDRESS_SPACE(9, "VmSize:"),

    /** Private memory that can be written, as {@code ulimit -d} limits it. */
    DATA(2, "VmData:");

    private static final long UNLIMITED = -1;

    private static final MethodHandle GETRLIMIT = function("getrlimit");
    private static final MethodHandle SETRLIMIT = function("setrlimit");

    private final int resource;

    /** Where the kernel tells how much the process has. */
    private final String line;

    MemoryLimit(int resource, String line) {
        this.resource = resource;
        this.line = line;
    }

    /** Leaves so many bytes more than the process has now. */
    public void leave(long bytes) {
        limit(size() + bytes);
    }

    /** Takes the limit away again. */
    public void unlimit() {
        limit(UNLIMITED);
    }

    private void limit(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            // The soft limit, and the hard one, which stays what it is.
            MemorySegment limit = arena.allocate(2 * JAVA_LONG.byteSize(), JAVA_LONG.byteAlignment());
            int result = (int) GETRLIMIT.invokeExact(resource, limit);
            limit.set(JAVA_LONG, 0, bytes);
            result |= (int) SETRLIMIT.invokeExact(resource, limit);
            if (result != 0) {
                throw new AssertionError("the limit cannot be set to " + bytes + " bytes");
            }
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    /** How many bytes the process has now. */
    public long size() {
        return bytes(line);
    }

    /**
     * What a line of {@code /proc/self/status} says, in bytes.
     *
     * @param line how it begins, such as {@code VmRSS:}
     */
    public static long bytes(String line) {
        try (var lines = Files.lines(Path.of("/proc/self/status"))) {
            String size =
                    lines.filter(text -> text.startsWith(line)).findFirst().orElseThrow();
            return Long.parseLong(size.replaceAll("[^0-9]", "")) * 1024;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static MethodHandle function(String name) {
        return CLibrary.function(name, FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
    }
}

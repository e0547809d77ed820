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

/** How much address space this process may take, as {@code ulimit -v} sets it. */
public final class AddressSpace {
    private static final int RLIMIT_AS = 9;
    private static final long UNLIMITED = -1;
    private static final String SIZE = "VmSize:";

    private static final MethodHandle GETRLIMIT = function("getrlimit");
    private static final MethodHandle SETRLIMIT = function("setrlimit");

    private AddressSpace() {}

    /** Leaves so many bytes more than the process has now. */
    public static void leave(long bytes) {
        limit(size() + bytes);
    }

    /** Takes the limit away again. */
    public static void unlimit() {
        limit(UNLIMITED);
    }

    private static void limit(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            // The soft limit, and the hard one, which stays what it is.
            MemorySegment limit = arena.allocate(2 * JAVA_LONG.byteSize(), JAVA_LONG.byteAlignment());
            int result = (int) GETRLIMIT.invokeExact(RLIMIT_AS, limit);
            limit.set(JAVA_LONG, 0, bytes);
            result |= (int) SETRLIMIT.invokeExact(RLIMIT_AS, limit);
            if (result != 0) {
                throw new AssertionError("the limit cannot be set to " + bytes + " bytes");
            }
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    private static long size() {
        try (var lines = Files.lines(Path.of("/proc/self/status"))) {
            String size =
                    lines.filter(line -> line.startsWith(SIZE)).findFirst().orElseThrow();
            return Long.parseLong(size.replaceAll("[^0-9]", "")) * 1024;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static MethodHandle function(String name) {
        return CLibrary.function(name, FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
    }
}

package dev.percpu.internal.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/** Which C library this process uses. */
public final class Libc {
    private static final int LONGEST_VERSION = 64;

    private Libc() {}

    /** The name and version, as far as the library provides them. */
    public static String version() {
        if (!Platform.hasSystemCalls()) {
            return "unknown: " + Platform.whyNoSystemCalls();
        }
        Optional<MemorySegment> function = LibcCalls.exported("gnu_get_libc_version");
        if (function.isEmpty()) {
            return "not glibc";
        }
        try {
            var handle = LibcCalls.bind(function.get(), FunctionDescriptor.of(ValueLayout.ADDRESS));
            MemorySegment version = (MemorySegment) handle.invokeExact();
            return "glibc " + version.reinterpret(LONGEST_VERSION).getString(0);
        } catch (Throwable t) {
            throw LibcCalls.rethrow(t);
        }
    }
}

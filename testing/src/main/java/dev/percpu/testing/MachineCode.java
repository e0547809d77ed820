package dev.percpu.testing;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.HexFormat;

/** A few instructions for what tests can neither say in Java nor ask the C library for. */
final class MachineCode {
    private static final long PAGE = 4096;
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int PROT_EXEC = 4;
    private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
    private static final long MAP_FAILED = -1;

    private static final MethodHandle MMAP = CLibrary.function(
            "mmap", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle MPROTECT =
            CLibrary.function("mprotect", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));

    private MachineCode() {}

    /** Maps instructions that are given in hexadecimal, for good. */
    static MemorySegment map(String instructions) {
        try {
            MemorySegment mapping = (MemorySegment)
                    MMAP.invokeExact(MemorySegment.NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
            if (mapping.address() == MAP_FAILED) {
                throw new AssertionError("no page can be mapped for machine code");
            }
            MemorySegment code = mapping.reinterpret(PAGE);
            code.copyFrom(MemorySegment.ofArray(HexFormat.of().parseHex(instructions)));
            int result = (int) MPROTECT.invokeExact(code, PAGE, PROT_READ | PROT_EXEC);
            if (result != 0) {
                throw new AssertionError("a page cannot be made executable");
            }
            return code;
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}

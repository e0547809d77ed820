package dev.percpu.testing;

import dev.percpu.internal.linux.Architecture;
import dev.percpu.internal.linux.Linux;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;

/** A few instructions for what tests can neither say in Java nor ask the C library for. */
final class MachineCode {
    private static final long PAGE = 4096;

    private MachineCode() {}

    /** Maps the instructions of this machine's architecture, for good; both are given in hexadecimal. */
    static MemorySegment map(String x86_64, String aarch64) {
        String instructions = switch (Architecture.current()) {
            case X86_64 -> x86_64;
            case AARCH64 -> aarch64;
            case OTHER -> throw new UnsupportedOperationException("no instructions for this architecture");
        };
        MemorySegment code = Linux.reserve(PAGE);
        code.copyFrom(MemorySegment.ofArray(HexFormat.of().parseHex(instructions)));
        Linux.makeExecutable(code);
        return code;
    }
}

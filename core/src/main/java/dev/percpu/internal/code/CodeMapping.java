package dev.percpu.internal.code;

import dev.percpu.internal.linux.Architecture;
import dev.percpu.internal.linux.Linux;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * A mapping with machine code, written first and executable afterwards, never both at a time.
 *
 * <p>It is never unmapped: a thread's {@code rseq_cs} can point at one of its descriptors long after the thread left
 * the section, and the kernel reads there at the next preemption.
 */
public final class CodeMapping {
    private final MemorySegment code;

    private CodeMapping(MemorySegment code) {
        this.code = code;
    }

    /**
     * Makes a mapping of what {@code emit} emits.
     *
     * @throws dev.percpu.internal.linux.LinuxException if the kernel refuses executable memory
     */
    public static CodeMapping emit(
            int bytes, SequenceLayout layout, Instrumentation instrumentation, Consumer<Sequence> emit) {
        MemorySegment mapping = Linux.reserve(bytes);
        var buffer = new CodeBuffer(mapping.address(), bytes);
        emit.accept(new Sequence(layout, buffer, Assembler.of(Architecture.current(), buffer), instrumentation));
        MemorySegment code = mapping.asSlice(0, buffer.size());
        code.copyFrom(MemorySegment.ofArray(buffer.toByteArray()));
        // On AArch64 the instruction cache does not see what is stored. Whoever changes code there cleans and
        // invalidates
        // caches by instructions, for which there is no code yet, and no function that the C library exports. The
        // kernel
        // does it, before a page becomes executable that was not executable since it was allocated (in
        // arch/arm64/mm/flush.c). So the whole mapping is written before, once; and it has no huge pages, as what is
        // remembered of a huge page, that it was executable, would hold for what is written into the rest of it later.
        // No CPU has fetched instructions here already, since this is where none could be fetched.
        Linux.makeExecutable(mapping);
        return new CodeMapping(code);
    }

    /** The code, descriptors included, readable. */
    public MemorySegment code() {
        return code;
    }
}

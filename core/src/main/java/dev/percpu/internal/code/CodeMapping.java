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
        MemorySegment mapping = Linux.map(bytes);
        var buffer = new CodeBuffer(mapping.address(), bytes);
        emit.accept(new Sequence(layout, buffer, Assembler.of(Architecture.current(), buffer), instrumentation));
        MemorySegment code = mapping.asSlice(0, buffer.size());
        code.copyFrom(MemorySegment.ofArray(buffer.toByteArray()));
        Linux.makeExecutable(mapping);
        return new CodeMapping(code);
    }

    /** The code, descriptors included, readable. */
    public MemorySegment code() {
        return code;
    }
}

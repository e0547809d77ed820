package dev.percpu.cell;

import dev.percpu.InteriorMutable;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Memory about which Java code assumes nothing, because C code may be using it: the kernel's {@code Opaque}. To define
 * a variable of this type, pass a layout and {@code Opaque::new}. Only the segment's bounds are checked.
 */
public final class Opaque implements InteriorMutable {
    private final MemorySegment memory;

    /** Creates an {@code Opaque} for the memory. */
    public Opaque(MemorySegment memory) {
        this.memory = Objects.requireNonNull(memory);
    }

    /** The memory, whose address can be passed to C code. */
    public MemorySegment get() {
        return memory;
    }

    @Override
    public String toString() {
        return "Opaque(" + memory.byteSize() + " bytes)";
    }
}

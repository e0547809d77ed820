package dev.percpu.cell;

import dev.percpu.InteriorMutable;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Memory about which nothing is assumed, since C code may have its hands in it: the kernel's {@code Opaque}. Define a
 * variable of it with a layout and {@code Opaque::new}. No check but that of the segment's bounds is made.
 */
public final class Opaque implements InteriorMutable {
    private final MemorySegment memory;

    /** Makes one of the memory. */
    public Opaque(MemorySegment memory) {
        this.memory = Objects.requireNonNull(memory);
    }

    /** The memory, whose address can be handed to C. */
    public MemorySegment get() {
        return memory;
    }

    @Override
    public String toString() {
        return "Opaque(" + memory.byteSize() + " bytes)";
    }
}

package dev.percpu.internal.code;

import dev.percpu.internal.linux.Architecture;
import dev.percpu.internal.linux.Linux;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A mapping with machine code. It is first writable and then executable, never both at the same time.
 *
 * <p>Once it is made, it is never unmapped: a thread's {@code rseq_cs} can point at one of its descriptors long after
 * the thread left the section, and the kernel reads there at the next preemption.
 */
public final class CodeMapping {
    private final MemorySegment code;
    private final IdentityHashMap<Sequence, MemorySegment> addresses;

    private CodeMapping(MemorySegment code, IdentityHashMap<Sequence, MemorySegment> addresses) {
        this.code = code;
        this.addresses = addresses;
    }

    /**
     * Makes a mapping with sequences.
     *
     * @param bytes at least as many as the sequences take; the rest is not touched
     * @throws dev.percpu.internal.linux.LinuxException if the kernel refuses executable memory
     */
    public static CodeMapping emit(
            int bytes, SequenceLayout layout, Instrumentation instrumentation, List<Sequence> sequences) {
        MemorySegment mapping = Linux.reserve(bytes);
        @Nullable CodeMapping emitted = null;
        try {
            emitted = emit(mapping, layout, instrumentation, sequences);
            return emitted;
        } finally {
            if (emitted == null) {
                // No thread knows an address in it yet. If the kernel refuses this too, the caller has to hear of the
                // first refusal.
                boolean _ = Linux.unmap(mapping);
            }
        }
    }

    private static CodeMapping emit(
            MemorySegment mapping, SequenceLayout layout, Instrumentation instrumentation, List<Sequence> sequences) {
        var buffer = new CodeBuffer(mapping.address(), Math.toIntExact(mapping.byteSize()));
        Assembler assembler = Assembler.of(Architecture.current(), buffer);
        // By identity: the JDK softly keeps what it generates for a record's hash code, and with it the record's
        // class loader.
        IdentityHashMap<Sequence, MemorySegment> addresses = new IdentityHashMap<>();
        for (Sequence sequence : sequences) {
            long address = sequence.emitter().emit(new Section(layout, buffer, assembler, instrumentation));
            addresses.put(sequence, MemorySegment.ofAddress(address));
        }
        MemorySegment code = mapping.asSlice(0, buffer.size());
        code.copyFrom(MemorySegment.ofArray(buffer.toByteArray()));
        // On AArch64 the instruction cache does not see stores. Code that changes instructions there has to clean and
        // invalidate caches with special instructions. Java cannot execute these, and the C library exports no function
        // for it. The kernel does it when a page becomes executable that was not executable since it was allocated (in
        // arch/arm64/mm/flush.c). So the whole mapping is written once, before it becomes executable. And it has no
        // huge pages: for a huge page, the kernel records only as a whole that it was executable, and would miss code
        // that is written into the rest of it later. No CPU can have fetched instructions here yet, since nothing was
        // executable.
        Linux.makeExecutable(mapping);
        return new CodeMapping(code, addresses);
    }

    /**
     * Where to call a sequence. This allocates nothing.
     *
     * @throws IllegalArgumentException if the sequence was not emitted here
     */
    public MemorySegment entryOf(Sequence sequence) {
        MemorySegment entry = addresses.get(sequence);
        if (entry == null) {
            throw new IllegalArgumentException("the sequence \"" + sequence + "\" was not emitted");
        }
        return entry;
    }

    /**
     * A sequence's code.
     *
     * @param address where it begins
     * @param bytes how long it is, with what lies between it and the next one
     * @param name the sequence's name
     */
    public record Symbol(long address, long bytes, String name) {}

    /** All sequences, by ascending address. */
    public List<Symbol> symbols() {
        List<Map.Entry<Sequence, MemorySegment>> entries = addresses.entrySet().stream()
                .sorted(Map.Entry.comparingByValue(Comparator.comparingLong(MemorySegment::address)))
                .toList();
        List<Symbol> symbols = new ArrayList<>();
        long end = code.address() + code.byteSize();
        for (Map.Entry<Sequence, MemorySegment> entry : entries.reversed()) {
            long address = entry.getValue().address();
            symbols.add(new Symbol(address, end - address, entry.getKey().name()));
            end = address;
        }
        return symbols.reversed();
    }

    /** The code, descriptors included, readable. */
    public MemorySegment code() {
        return code;
    }
}

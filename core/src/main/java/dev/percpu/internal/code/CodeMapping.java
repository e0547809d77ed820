package dev.percpu.internal.code;

import dev.percpu.internal.linux.Architecture;
import dev.percpu.internal.linux.Linux;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * A mapping with machine code. It is first writable and then executable, never both at the same time.
 *
 * <p>It is never unmapped: a thread's {@code rseq_cs} can point at one of its descriptors long after the thread left
 * the section, and the kernel reads there at the next preemption.
 */
public final class CodeMapping {
    private final MemorySegment code;
    private final IdentityHashMap<Sequence, Long> addresses;

    private CodeMapping(MemorySegment code, IdentityHashMap<Sequence, Long> addresses) {
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
        var buffer = new CodeBuffer(mapping.address(), bytes);
        Assembler assembler = Assembler.of(Architecture.current(), buffer);
        // By identity: the JDK softly keeps what it generates for a record's hash code, and with it the record's
        // class loader.
        IdentityHashMap<Sequence, Long> addresses = new IdentityHashMap<>();
        for (Sequence sequence : sequences) {
            addresses.put(sequence, sequence.emitter().emit(new Section(layout, buffer, assembler, instrumentation)));
        }
        MemorySegment code = mapping.asSlice(0, buffer.size());
        code.copyFrom(MemorySegment.ofArray(buffer.toByteArray()));
        // On AArch64 the instruction cache does not see stores. Code that changes instructions there has to clean and
        // invalidate caches with special instructions. There is no such code here yet, and the C library exports no
        // function for it. The kernel does it when a page becomes executable that was not executable since it was
        // allocated (in arch/arm64/mm/flush.c). So the whole mapping is written once, before it becomes executable. And
        // it has no huge pages: for a huge page, the kernel only records as a whole that it was executable. That would
        // also apply to code written into the rest of the page later. No CPU can have fetched instructions here yet,
        // since nothing was executable.
        Linux.makeExecutable(mapping);
        return new CodeMapping(code, addresses);
    }

    /**
     * The address at which to call a sequence.
     *
     * @throws IllegalArgumentException if the sequence was not emitted here
     */
    public long addressOf(Sequence sequence) {
        Long address = addresses.get(sequence);
        if (address == null) {
            throw new IllegalArgumentException("the sequence \"" + sequence + "\" was not emitted");
        }
        return address;
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
        List<Map.Entry<Sequence, Long>> entries = addresses.entrySet().stream()
                .sorted(Map.Entry.comparingByValue())
                .toList();
        List<Symbol> symbols = new ArrayList<>();
        long end = code.address() + code.byteSize();
        for (Map.Entry<Sequence, Long> entry : entries.reversed()) {
            symbols.add(new Symbol(
                    entry.getValue(), end - entry.getValue(), entry.getKey().name()));
            end = entry.getValue();
        }
        return symbols.reversed();
    }

    /** The code, descriptors included, readable. */
    public MemorySegment code() {
        return code;
    }
}

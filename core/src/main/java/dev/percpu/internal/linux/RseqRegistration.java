package dev.percpu.internal.linux;

import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * How the C library registered its threads for restartable sequences.
 *
 * @param offset the offset of the thread's {@code struct rseq} from its thread pointer, in bytes
 * @param size how many bytes of it the C library and the kernel agreed on; 0 if no thread is registered
 */
public record RseqRegistration(long offset, int size) {
    /** Offset of {@code cpu_id} in {@code struct rseq}: negative on a thread that is not registered. */
    public static final int CPU_ID = 4;

    /** Offset of {@code rseq_cs}, the only field of the kernel's area that user space may write. */
    public static final int RSEQ_CS = 8;

    /** The size that {@code struct rseq} must have at least to include {@link #RSEQ_CS}. */
    public static final int SMALLEST_USABLE_SIZE = 16;

    /** Where each field of {@code struct rseq} ends. */
    private static final SequencedMap<String, Integer> FIELD_ENDS = new LinkedHashMap<>();

    static {
        FIELD_ENDS.put("cpu_id_start", 4);
        FIELD_ENDS.put("cpu_id", 8);
        FIELD_ENDS.put("rseq_cs", 16);
        FIELD_ENDS.put("flags", 20);
        FIELD_ENDS.put("node_id", 24);
        FIELD_ENDS.put("mm_cid", 28);
    }

    public static final RseqRegistration NONE = new RseqRegistration(0, 0);

    /** What the running C library exports; {@link #NONE} if it exports nothing (musl, an old glibc). */
    public static RseqRegistration read() {
        var offset = LibcCalls.exported("__rseq_offset");
        var size = LibcCalls.exported("__rseq_size");
        if (offset.isEmpty() || size.isEmpty()) {
            return NONE;
        }
        return new RseqRegistration(
                offset.get().reinterpret(Long.BYTES).get(ValueLayout.JAVA_LONG, 0),
                size.get().reinterpret(Integer.BYTES).get(ValueLayout.JAVA_INT, 0));
    }

    /** The fields that the size covers, by their names in the kernel's header. */
    public List<String> features() {
        return FIELD_ENDS.entrySet().stream()
                .filter(field -> field.getValue() <= size)
                .map(Map.Entry::getKey)
                .toList();
    }

    public boolean isUsable() {
        return size >= SMALLEST_USABLE_SIZE;
    }
}

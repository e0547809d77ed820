package dev.percpu.internal.area;

import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.Platform;
import java.lang.foreign.MemorySegment;

/** Makes memory of the area zero again, for its next owner. */
final class Clearing {
    private static final long PAGE = 4096;

    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[(int) PAGE]);

    private Clearing() {}

    /**
     * Makes the JDK initialize what it needs to fill memory. If the first fill came while the heap is full, that could
     * fail, and then no piece could be cleared any more, however much memory there is later.
     */
    static void rehearse() {
        ZEROS.asSlice(0, Long.BYTES).fill((byte) 0);
    }

    /** Zeroes a piece, and returns as much of its memory to the kernel as possible. */
    static void clear(MemorySegment piece) {
        long start = piece.address();
        long from = Reservation.roundUp(start) - start;
        long to = ((start + piece.byteSize()) & -Reservation.OPENED_AT_ONCE) - start;
        if (from < to && Platform.hasSystemCalls() && Linux.discard(piece.asSlice(from, to - from))) {
            overwrite(piece.asSlice(0, from));
            overwrite(piece.asSlice(to));
        } else {
            overwrite(piece);
        }
    }

    /** Writes only where something is not zero, since a write creates a page, and does so on the writer's NUMA node. */
    private static void overwrite(MemorySegment piece) {
        for (long at = 0; at < piece.byteSize(); at += PAGE) {
            MemorySegment part = piece.asSlice(at, Math.min(PAGE, piece.byteSize() - at));
            if (part.mismatch(ZEROS.asSlice(0, part.byteSize())) >= 0) {
                part.fill((byte) 0);
            }
        }
    }
}

package dev.percpu.internal.area;

import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.LinuxException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Gets the area's address space, which is as large as the limits of the process allow. */
final class Reservation {
    /** A place is opened by a multiple of this, which is itself a multiple of the kernel's page size. */
    static final long OPENED_AT_ONCE = 1L << 16;

    private static final long PAGE = 4096;

    /** If address space is scarce, the area shrinks to this, but no further. */
    private static final long SMALLEST_STRIDE = 1L << 20;

    private Reservation() {}

    /** The next multiple of {@link #OPENED_AT_ONCE}. */
    static long roundUp(long bytes) {
        return (bytes + OPENED_AT_ONCE - 1) & -OPENED_AT_ONCE;
    }

    /**
     * Reserves the area, and opens the first part of some of its places, which includes the header.
     *
     * @param wanted the size of each place; if there is no address space for that, it is halved
     * @param places how many places there are
     * @param opened how many of them are opened
     */
    static MemorySegment reserve(long wanted, int places, int opened) {
        for (long stride = wanted; ; stride /= 2) {
            try {
                return reserveOnce(stride, places, opened);
            } catch (LinuxException refused) {
                if (stride <= SMALLEST_STRIDE) {
                    throw new IllegalStateException(
                            "no address space for the per-CPU area, not even " + stride + " bytes for each of its "
                                    + places + " places: raise the process's limits (ulimit -v, ulimit -d, or, with"
                                    + " mlockall, ulimit -l), or set a smaller -D" + Stride.PROPERTY + " or -D"
                                    + OwnPlaces.PROPERTY,
                            refused);
                }
            }
        }
    }

    private static MemorySegment reserveOnce(long stride, int places, int opened) {
        long bytes = Math.multiplyExact(stride, (long) places);
        long open = firstOpened(stride);
        if (open == stride) {
            return Linux.reserve(bytes);
        }
        MemorySegment memory = Linux.reserveClosed(bytes);
        try {
            for (int place = 0; place < opened; place++) {
                Linux.open(memory.asSlice(place * stride, open));
            }
            return memory;
        } catch (LinuxException refused) {
            Linux.unmap(memory);
            throw refused;
        }
    }

    /** How much of each place is opened at first. */
    static long firstOpened(long stride) {
        return Math.min(OPENED_AT_ONCE, stride);
    }

    /** Without system calls the area cannot be reserved, only allocated. */
    static MemorySegment allocate(long stride, int places) {
        return Arena.global().allocate(Math.multiplyExact(stride, (long) places), PAGE);
    }
}

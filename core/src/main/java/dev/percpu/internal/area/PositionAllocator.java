package dev.percpu.internal.area;

import dev.percpu.memory.AreaFullException;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Hands out ranges of positions, first fit, and joins what comes back. */
final class PositionAllocator {
    /** Free ranges: start to end. */
    private final NavigableMap<Long, Long> free = new TreeMap<>();

    private final long size;
    private long used;

    PositionAllocator(long start, long end) {
        free.put(start, end);
        size = end - start;
    }

    synchronized long allocate(long bytes, long alignment, String owner) {
        if (bytes <= 0 || Long.bitCount(alignment) != 1 || alignment < 0) {
            throw new IllegalArgumentException(owner + ": cannot place " + bytes + " bytes aligned to " + alignment);
        }
        for (Map.Entry<Long, Long> range : free.entrySet()) {
            long start = range.getKey();
            long end = range.getValue();
            long position = (start + alignment - 1) & -alignment;
            if (bytes <= end - position) {
                free.remove(start);
                putUnlessEmpty(start, position);
                putUnlessEmpty(position + bytes, end);
                used += bytes;
                return position;
            }
        }
        throw new AreaFullException(owner + " needs " + bytes + " bytes aligned to " + alignment
                + ", and of each CPU's " + size + " bytes no such piece is free (" + used
                + " are in use): close variables that are no longer needed, or enlarge the area with -D"
                + Area.STRIDE_PROPERTY);
    }

    synchronized void free(long position, long bytes) {
        long start = position;
        long end = position + bytes;
        Map.Entry<Long, Long> before = free.floorEntry(start);
        if (before != null && before.getValue() == start) {
            start = before.getKey();
        }
        Long after = free.remove(end);
        if (after != null) {
            end = after;
        }
        free.put(start, end);
        used -= bytes;
    }

    synchronized long usedBytes() {
        return used;
    }

    private void putUnlessEmpty(long start, long end) {
        if (start < end) {
            free.put(start, end);
        }
    }
}

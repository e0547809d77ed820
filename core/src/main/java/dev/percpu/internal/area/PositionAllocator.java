package dev.percpu.internal.area;

import dev.percpu.memory.AreaFullException;

/**
 * Hands out ranges of positions, always the lowest that fits, and joins those that are given back with
 * their neighbours.
 */
final class PositionAllocator {
    /*
     * The free ranges are an immutable tree: see FreeRange. An allocation builds a new tree beside the old one, and
     * storing the new root is its last step. So an error at any step (the heap is full, the stack overflows, the kernel
     * refuses the memory) leaves the old tree, with nothing lost and nothing handed out twice.
     */

    /** What lies at the positions. */
    interface Memory {
        /**
         * Makes all positions below {@code end} usable. It is called under the allocator's lock, and must load no
         * class: see {@link #tryAllocate}.
         *
         * @return false if there is no memory for them
         */
        boolean open(long end);

        /** What to throw if {@link #open} has returned false. It is called without the allocator's lock. */
        AreaFullException noMemory(long bytes, String label);

        /** Gives the memory of free positions back to the kernel, where it can. They stay usable, and are zero. */
        void discard(long start, long end);
    }

    /** What {@link #tryAllocate} returns if no free range is large enough. */
    private static final long NO_RANGE = -1;

    /** What {@link #tryAllocate} returns if there is a free range, but no memory for it. */
    private static final long NO_MEMORY = -2;

    private final long start;
    private final long end;
    private final Memory memory;

    private @org.jspecify.annotations.Nullable FreeRange free;
    private long used;

    /** How many bytes were freed since memory was last given back to the kernel. */
    private long freed;

    PositionAllocator(long start, long end, Memory memory) {
        this.start = start;
        this.end = end;
        this.memory = memory;
        this.free = FreeRange.of((int) start, (int) end);
    }

    /** Refuses what is no range, or is aligned to more than any range can be. */
    static void check(long bytes, long alignment, String label) {
        if (bytes <= 0) {
            throw new IllegalArgumentException(label + ": the size must be at least 1 byte, not " + bytes);
        }
        if (Long.bitCount(alignment) != 1 || alignment < 0) {
            throw new IllegalArgumentException(label + ": the alignment must be a power of two, not " + alignment);
        }
        if (alignment > FreeRange.LARGEST_ALIGNMENT) {
            throw new IllegalArgumentException(label + ": the alignment must be at most " + FreeRange.LARGEST_ALIGNMENT
                    + " bytes, not " + alignment);
        }
    }

    /** Hands out a range. */
    long allocate(long bytes, long alignment, String label) {
        check(bytes, alignment, label);
        long position = tryAllocate(bytes, alignment);
        if (position == NO_MEMORY) {
            throw memory.noMemory(bytes, label);
        }
        if (position == NO_RANGE) {
            throw new AreaFullException(label + " needs " + bytes + " bytes aligned to " + alignment
                    + " for each CPU, but no such piece of the per-CPU area is free (" + usedBytes() + " of "
                    + (end - start) + " bytes are in use): close or drop what is no longer needed, or "
                    + enlarge(bytes, alignment));
        }
        return position;
    }

    /**
     * Hands out a range, if there is one. It makes no exception and loads no other class. If it did, a user's class
     * loader or agent could run in this thread under the lock, and make a variable in the middle of this method. Or it
     * could wait for a thread that gives a piece back, while that thread waits for this lock.
     *
     * @return its position, or a negative number: {@link #NO_RANGE} or {@link #NO_MEMORY}
     */
    synchronized long tryAllocate(long bytes, long alignment) {
        FreeRange before = free;
        FreeRange found = bytes > end - start ? null : FreeRange.lowest(before, (int) bytes, alignment);
        if (found == null) {
            return NO_RANGE;
        }
        int position = found.aligned(alignment);
        int behind = position + (int) bytes;
        FreeRange rest = FreeRange.without(before, found.start());
        if (found.start() < position) {
            rest = FreeRange.with(rest, found.start(), position);
        }
        if (behind < found.end()) {
            rest = FreeRange.with(rest, behind, found.end());
        }
        if (!memory.open(behind)) {
            return NO_MEMORY;
        }
        // Nothing from here on can fail.
        free = rest;
        used += bytes;
        return position;
    }

    /** Takes a range back. If it throws, it has changed nothing. */
    synchronized void free(long position, long bytes) {
        int from = (int) position;
        int to = (int) (position + bytes);
        FreeRange rest = free;
        FreeRange before = FreeRange.lastBelow(rest, from);
        if (before != null && before.end() == from) {
            from = before.start();
            rest = FreeRange.without(rest, from);
        }
        FreeRange after = FreeRange.lastBelow(rest, to + 1);
        if (after != null && after.start() == to) {
            rest = FreeRange.without(rest, to);
            to = after.end();
        }
        rest = FreeRange.with(rest, from, to);
        // Nothing from here on can fail.
        free = rest;
        used -= bytes;
        freed += bytes;
    }

    /**
     * Gives the memory of what is free back to the kernel, once so many bytes have been freed since it was last done.
     * Most pieces are smaller than a page, so this cannot be done when one is freed: its neighbours may still be in
     * use. If an error breaks it off, the next time does the rest.
     */
    synchronized void discardFree(long due) {
        if (freed >= due) {
            freed = 0;
            FreeRange.discard(free, memory);
        }
    }

    synchronized long usedBytes() {
        return used;
    }

    synchronized long freeBytes() {
        return end - start - used;
    }

    /** Recommends a size of the area that has room for a request which does not fit in this one. */
    private String enlarge(long bytes, long alignment) {
        long usedUpTo = usedUpTo();
        long aligned = (usedUpTo + alignment - 1) & -alignment;
        return Stride.adviceFor(aligned > Long.MAX_VALUE - bytes ? Long.MAX_VALUE : aligned + bytes);
    }

    private synchronized long usedUpTo() {
        FreeRange last = FreeRange.lastBelow(free, (int) end);
        return last != null && last.end() == end ? last.start() : end;
    }
}

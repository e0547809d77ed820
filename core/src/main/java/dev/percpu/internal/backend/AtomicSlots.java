package dev.percpu.internal.backend;

import dev.percpu.internal.area.Area;

/**
 * Numbers in the area that several threads update at a time, by atomic instructions: those of the atomic back end, and
 * those of threads without a CPU id.
 */
final class AtomicSlots {
    /** A tally's slot is twice its number, and one more if it is closed. */
    private static final long CLOSED = 1;

    private AtomicSlots() {}

    /** See {@link Backend#addWithin}. */
    static boolean addWithin(long offset, long delta, long bound) {
        while (true) {
            long old = (long) Area.LONG.getVolatile(Area.MEMORY, offset);
            if (Long.compareUnsigned(old + delta, bound) > 0) {
                return false;
            }
            if (Area.LONG.compareAndSet(Area.MEMORY, offset, old, old + delta)) {
                return true;
            }
        }
    }

    /** See {@link Backend#addIfOpen}. Closing changes the slot itself, so no addition can come after it unseen. */
    static boolean addIfOpen(long offset, long delta) {
        while (true) {
            long old = (long) Area.LONG.getVolatile(Area.MEMORY, offset);
            if ((old & CLOSED) != 0) {
                return false;
            }
            if (Area.LONG.compareAndSet(Area.MEMORY, offset, old, old + 2 * delta)) {
                return true;
            }
        }
    }

    /** Closes a tally's slot and returns what was in it. */
    static long close(long offset) {
        return (long) Area.LONG.getAndSet(Area.MEMORY, offset, CLOSED) >> 1;
    }

    /** Opens a tally's slot. */
    static void open(long offset) {
        Area.LONG.setVolatile(Area.MEMORY, offset, 0L);
    }
}

package dev.percpu.internal.backend;

import dev.percpu.internal.area.Area;

/**
 * Numbers in the area that several threads update at a time, by atomic instructions: those of the atomic back end, and
 * those of threads without a CPU id.
 */
final class AtomicSlots {
    /** A tally's slot is twice its number, and one more if it is closed. */
    private static final long CLOSED = 1;

    /** A credit's slot has the credit in its lower half, and how often it grew or was taken in its upper half. */
    private static final long CREDIT = 0xffff_ffffL;

    private static final long ONE_MORE = CREDIT + 1;

    private AtomicSlots() {}

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

    /** Sets a slot and returns what it was. A slot that has the value already is not written: that would make a page. */
    static long exchange(long offset, long value) {
        return (long) Area.LONG.getOpaque(Area.MEMORY, offset) == value
                ? value
                : (long) Area.LONG.getAndSet(Area.MEMORY, offset, value);
    }

    /**
     * See {@link Backend#addCredit}. The slot is loaded before the look at the gate, and must not have changed when the
     * addition is stored: then the credit was the same at the moment of the look, and the two are one step.
     *
     * <pre>
     *   thread T, may go up to 100                others
     *   1. loads the slot: a credit of 5
     *   2. looks at the gate: 100
     *                                             3. spend the 5, raise the gate to 200, put in 5 again
     *   4. compare-and-set: 5 to 4
     * </pre>
     *
     * <p>With the credit alone, 4 would spend what was reserved above T's limit. But 3 has counted the upper half up.
     */
    static boolean addCredit(long offset, long delta, long bound, long gate, long most) {
        while (true) {
            long old = (long) Area.LONG.getVolatile(Area.MEMORY, offset);
            if ((long) Area.LONG.getVolatile(Area.MEMORY, gate) > most) {
                return false;
            }
            long credit = (old & CREDIT) + delta;
            if (Long.compareUnsigned(credit, bound) > 0) {
                return false;
            }
            long next = ((old & ~CREDIT) | credit) + (delta > 0 ? ONE_MORE : 0);
            if (Area.LONG.compareAndSet(Area.MEMORY, offset, old, next)) {
                return true;
            }
        }
    }

    /** What is in a credit's slot. */
    static long credit(long offset) {
        return (long) Area.LONG.getOpaque(Area.MEMORY, offset) & CREDIT;
    }

    /** Takes a credit. It counts up even if there is none, so that additions that saw the gate lower fail. */
    static long takeCredit(long offset) {
        while (true) {
            long old = (long) Area.LONG.getVolatile(Area.MEMORY, offset);
            if (Area.LONG.compareAndSet(Area.MEMORY, offset, old, (old & ~CREDIT) + ONE_MORE)) {
                return old & CREDIT;
            }
        }
    }

    /** Opens a tally's slot. */
    static void open(long offset) {
        Area.LONG.setVolatile(Area.MEMORY, offset, 0L);
    }
}

package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import java.lang.ref.Reference;

/**
 * A count that threads keep in several slots with atomic instructions until it is closed. Adding to it costs more than
 * adding to a {@link Tally}. But closing it takes no system call, as each slot can be closed by itself.
 *
 * <p>A slot holds, from its highest bit on, how many threads have arrived in it since it was opened, the sum of all
 * additions, and whether it is closed. Each slot lies in another CPU's place, so no two share a cache line. A thread
 * uses the slot that its id selects, whatever CPU it runs on: asking for the CPU would cost as much as the addition.
 *
 * <p>New stripes count as closed: nobody adds to them before they are opened.
 */
public final class Stripes {
    /** What {@link #arrive} returns if the stripes are closed. */
    public static final int CLOSED = -1;

    /** More slots would make closing slow, and threads seldom meet in one of these. */
    private static final int MOST_SLOTS = 16;

    /** A power of two. */
    private static final int SLOTS = Integer.highestOneBit(
            Math.clamp(2L * Runtime.getRuntime().availableProcessors() - 1, 1, Math.min(MOST_SLOTS, Area.CPUS)));

    private static final long CLOSED_BIT = 1;
    private static final long ONE = 2;
    private static final int LOW_BITS = 44;
    private static final long ARRIVAL = 1L << LOW_BITS;

    private final long position;

    static {
        // Links the calls that a reader makes after it has come in: to open the stripes, and to go out. One that came
        // in through the word may be the first to make them. If it failed, it would stay inside, and a writer would
        // wait for ever.
        long slot = Area.offset(Area.SPARE, CpuHeader.REHEARSED_SLOT);
        Area.LONG.setVolatile(Area.MEMORY, slot, 0L);
        long _ = (long) Area.LONG.getVolatile(Area.MEMORY, slot);
        long _ = (long) Area.LONG.compareAndExchange(Area.MEMORY, slot, 0L, 0L);
    }

    /** New ones, which are closed. */
    public Stripes(String label) {
        position = Area.allocateFor(this, Long.BYTES, Long.BYTES, label);
    }

    /**
     * Adds 1 to the thread's slot.
     *
     * @param many once so many threads have arrived, the caller does more after this call. So this makes sure first
     *     that the stack has room for it
     * @return how many threads arrived there before, since the opening; {@link #CLOSED} if nothing was done
     */
    public int arrive(int many) {
        try {
            long offset = offset((int) Thread.currentThread().threadId());
            long slot = (long) Area.LONG.getVolatile(Area.MEMORY, offset);
            while ((slot & CLOSED_BIT) == 0) {
                // Before the arrival, as nothing may fail after it.
                int arrivals = arrivals(slot);
                if (arrivals >= many) {
                    StackRoom.CURRENT.ensure();
                }
                long found = (long) Area.LONG.compareAndExchange(Area.MEMORY, offset, slot, slot + ARRIVAL + ONE);
                if (found == slot) {
                    return arrivals;
                }
                slot = found;
            }
            return CLOSED;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Subtracts 1 from the thread's slot; false if the stripes are closed. */
    public boolean depart() {
        try {
            long offset = offset((int) Thread.currentThread().threadId());
            long slot = (long) Area.LONG.getVolatile(Area.MEMORY, offset);
            while ((slot & CLOSED_BIT) == 0) {
                long found = (long) Area.LONG.compareAndExchange(Area.MEMORY, offset, slot, slot - ONE);
                if (found == slot) {
                    return true;
                }
                slot = found;
            }
            return false;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Opens the stripes, with a sum of 0. */
    public void open() {
        try {
            for (int index = 0; index < SLOTS; index++) {
                Area.LONG.setVolatile(Area.MEMORY, offset(index), 0L);
            }
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Closes one slot.
     *
     * @return what it held, for {@link #sum} and {@link #arrivals}; both are 0 if the slot was closed already
     */
    public long close(int index) {
        try {
            return (long) Area.LONG.getAndSet(Area.MEMORY, offset(index), CLOSED_BIT);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    public static int slots() {
        return SLOTS;
    }

    /** The sum of the additions to a slot. */
    public static long sum(long slot) {
        return lower(slot) >> Long.numberOfTrailingZeros(ONE);
    }

    /** How many threads arrived in a slot. */
    public static int arrivals(long slot) {
        // A negative sum has borrowed 1 from the arrivals, and gives it back when it is subtracted.
        return (int) ((slot - lower(slot)) >>> LOW_BITS);
    }

    /** The sum and the bit of a closed slot, as one signed number. */
    private static long lower(long slot) {
        return slot << (Long.SIZE - LOW_BITS) >> (Long.SIZE - LOW_BITS);
    }

    private long offset(int index) {
        return Area.offset(index & (SLOTS - 1), position);
    }
}

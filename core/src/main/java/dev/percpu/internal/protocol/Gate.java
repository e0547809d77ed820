package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;

/**
 * A word that lets updates of a number through or stops them, so that the number can be taken away from its CPUs. It
 * lies at the number's position in a place for gates. A sequence checks the gate and commits in one section. For
 * updates in a thread's own place see {@link GatedSums} and {@link Tally}. On the atomic back end, among numbers in
 * CPUs' places, only credits have a gate. {@link Credits} says why they are exact there.
 *
 * <p>Every CPU reads the gate all the time. Beside one CPU's number, its cache line would move between CPUs with each
 * update of that number. In that place only gates are written, and seldom.
 *
 * <p>A gate is open if it is 0. The gate of a credit is a limit instead: it is open to an update that may go that far.
 */
public final class Gate {
    /** Above all limits: no update passes. */
    public static final long SHUT = Long.MAX_VALUE;

    static final long OPEN = 0;

    private static final Fences RESTARTING = new Fences.Rseq();

    static {
        // Links what is linked when it is first called: when the heap is full, that could fail just after a number was
        // taken from its slot.
        set(CpuHeader.REHEARSED_GATE, OPEN);
        long _ = exchange(Area.SPARE, CpuHeader.REHEARSED_GATE, 1);
        long _ = exchange(Area.SPARE, CpuHeader.REHEARSED_GATE, 0);
    }

    private Gate() {}

    /** Forces this class to initialize: see {@link Sums#initialize}. */
    public static void initialize() {
        // Calling this is enough.
    }

    /** The offset of a number's gate in {@link Area#MEMORY}. */
    static long offset(long position) {
        return Area.within(Area.gate(position));
    }

    /** The gate of a number. */
    public static long get(long position) {
        return (long) Area.LONG.getVolatile(Area.MEMORY, offset(position));
    }

    /** Sets the gate of a number. */
    public static void set(long position, long value) {
        Area.LONG.setVolatile(Area.MEMORY, offset(position), value);
    }

    /** Opens the gate of a number. */
    public static void open(long position) {
        set(position, OPEN);
    }

    /**
     * Shuts a gate that sequences check. Sequences in flight that saw it open start over, check again, and find it
     * shut. What any of them committed before is visible when this method returns, since a restart is a full barrier on
     * each CPU. If the kernel refuses, the gate is reset to what it was.
     */
    static void shut(long position) {
        shut(position, RESTARTING);
    }

    /** The same, for updates that a heavy fence orders with the gate. */
    static void shut(long position, Fences fences) {
        long offset = offset(position);
        long before = (long) Area.LONG.getAndSet(Area.MEMORY, offset, SHUT);
        boolean restarted = false;
        try {
            fences.heavy();
            restarted = true;
        } finally {
            if (!restarted) {
                // This must be the same operation as above: it is linked by now, and needs no more stack than it did
                // then. With a different one, a second stack overflow would leave the gate shut. "finally" does not
                // have to look up an exception type.
                long _ = (long) Area.LONG.getAndSet(Area.MEMORY, offset, before);
            }
        }
    }

    /**
     * Takes the value of a slot, and leaves the given value there. For a CPU's slot the gate must be shut. If the slot
     * already has that value it is not written, since a write would make a page resident.
     */
    static long exchange(int place, long position, long value) {
        long offset = Area.offset(place, position);
        return (long) Area.LONG.getOpaque(Area.MEMORY, offset) == value
                ? value
                : (long) Area.LONG.getAndSet(Area.MEMORY, offset, value);
    }
}

package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.linux.Linux;

/**
 * What stands in front of a number that can be taken away from its CPUs: a word in the spare place, behind the number's
 * slot there. Every update looks at it and commits in one section.
 *
 * <p>It lies in the spare place since hardly anything else is ever written there. Beside a CPU's number it would move
 * between caches with each update, and everyone reads it all the time.
 *
 * <p>A gate is open if it is 0. That of a credit is a limit, and is open for whoever may go as far.
 */
public final class Gate {
    /** How many bytes a number with a gate takes: the number, and in the spare place the gate behind it. */
    public static final int BYTES = (int) Catalogue.GATE + Long.BYTES;

    /** Above all limits: nobody gets through. */
    public static final long SHUT = Long.MAX_VALUE;

    private static final long OPEN = 0;

    private Gate() {}

    /** Where the gate of a number is, in the area. */
    static long offset(long position) {
        return Area.offset(Area.SPARE, position + Catalogue.GATE);
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
     * Shuts a gate that sequences look at. Those in flight that saw it open start over, look again, and find it shut.
     * What any of them committed before is visible when this returns, as a restart is a full barrier on each CPU. If
     * the kernel refuses, the gate is what it was.
     */
    static void shut(long position) {
        long offset = offset(position);
        long before = (long) Area.LONG.getAndSet(Area.MEMORY, offset, SHUT);
        boolean restarted = false;
        try {
            Linux.restartSequencesEverywhere();
            restarted = true;
        } finally {
            if (!restarted) {
                // By the same operation as above, which is linked by now and needs no more stack than it did then: with
                // another
                // one a second stack overflow would leave the gate shut. "finally" needs no exception type looked up.
                long _ = (long) Area.LONG.getAndSet(Area.MEMORY, offset, before);
            }
        }
    }

    /**
     * Takes what is in a slot whose gate is shut, and leaves the given value. A slot that has the value already is not
     * written, since that would make a page resident.
     */
    static long exchange(int cpu, long position, long value) {
        long offset = Area.offset(cpu, position);
        return (long) Area.LONG.getOpaque(Area.MEMORY, offset) == value
                ? value
                : (long) Area.LONG.getAndSet(Area.MEMORY, offset, value);
    }
}

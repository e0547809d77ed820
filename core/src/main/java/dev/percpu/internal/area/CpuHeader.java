package dev.percpu.internal.area;

/**
 * What lies at the start of every CPU's place.
 *
 * <pre>
 *   0  guard word       0 if the CPU's guard is free, else its owner's Thread.threadId()
 *   8  open guards      how many guards of the CPU its owner has open
 *  16  serials          how many serial numbers were given out to guards of this CPU
 *  24  live serial 0    the outermost guard's serial number, 0 if it has none
 *  32  live serial 1    ...
 * </pre>
 *
 * <p>The guard word is written by whoever acquires and releases, everything else by the guard's owner only. Guards
 * seldom nest, so what is touched is the first cache line.
 */
public final class CpuHeader {
    public static final long GUARD_WORD = 0;
    public static final long OPEN_GUARDS = 8;
    public static final long SERIALS = 16;

    /** The kernel's preempt_count has eight bits for the same purpose. */
    public static final int MOST_OPEN_GUARDS = 255;

    private static final long LIVE_SERIALS = 24;

    /** The end of the header, on a cache line's border. */
    static final long SIZE = 2112;

    private CpuHeader() {}

    /** Where the serial number of a guard is kept while the guard is open, by how many were open before it. */
    public static long liveSerial(int level) {
        return LIVE_SERIALS + (long) level * Long.BYTES;
    }
}

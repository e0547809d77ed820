package dev.percpu.internal.guard;

import dev.percpu.internal.area.Area;
import java.util.concurrent.TimeUnit;

/**
 * The owners that were seen without an open guard, and when to investigate them. This is kept for each CPU and not for
 * each waiting thread. A program may never wait, and only try to acquire: then it takes several of its attempts to find
 * out that an owner has left a CPU behind.
 *
 * <p>Nothing here is atomic. If threads get in each other's way, an investigation comes too early, too late or twice.
 * That does no harm: an investigation never frees a CPU wrongly.
 */
final class Suspects {
    /**
     * An owner is investigated so long after it was first seen without an open guard: it may have been preempted
     * between acquiring and counting the guard. It is not investigated more often either, since that stops it for a
     * moment. What it did between two sightings is not known. If it was first seen an hour ago, it is investigated at
     * the next sighting. This may be too early, and then the investigation finds the owner at work on its guard.
     */
    private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(10);

    private static final long[] OWNERS = new long[PaddedArray.length(Area.CPUS)];
    private static final long[] SINCE = new long[PaddedArray.length(Area.CPUS)];

    private Suspects() {}

    /** Notes that an owner seems to have no open guard; whether it is time to investigate. */
    static boolean isDue(int cpu, long owner) {
        int index = PaddedArray.index(cpu);
        long now = System.nanoTime();
        boolean isDue = OWNERS[index] == owner && now - SINCE[index] >= PAUSE;
        if (isDue || OWNERS[index] != owner) {
            SINCE[index] = now;
            OWNERS[index] = owner;
        }
        return isDue;
    }
}

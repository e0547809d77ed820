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
     * An owner is investigated this long after it was first seen without an open guard, and not again before as much
     * time has passed. It may only have been preempted between acquiring and counting a guard, and an investigation
     * stops it for a moment. The two sightings can be an hour apart, with other guards of the owner in between. Then
     * the investigation comes too early, and finds the owner at work on its guard.
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

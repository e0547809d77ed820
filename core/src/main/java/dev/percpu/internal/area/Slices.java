package dev.percpu.internal.area;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A piece as segments.
 *
 * @param position its position in each CPU's place; negative if it is not in the area
 * @param perCpu the segments, by CPU
 * @param arena the arena of the segments; null if the piece is not in the area
 * @param holding gives the piece back; null if the piece is not in the area
 */
public record Slices(
        long position, List<MemorySegment> perCpu, @Nullable Arena arena, Holdings.@Nullable Holding holding) {
    public MemorySegment of(int cpu) {
        return perCpu.get(cpu);
    }

    /**
     * Ends all segments, and gives the piece back. The JVM stops each thread when the arena is closed, so that none is
     * in the middle of an access then. A defect of JDK 25 (JDK-8364167) lets a thread make one more access at times. So
     * one that writes without a guard, which none should, can still reach the piece's next owner.
     *
     * <p>If native code is using a segment that it was passed, nothing changes, and the piece is given back once no
     * segment is reachable.
     */
    public void close() {
        if (arena == null || holding == null || !arena.scope().isAlive()) {
            return;
        }
        try {
            arena.close();
        } catch (IllegalStateException inUse) {
            return;
        }
        Area.giveBack(holding);
    }
}

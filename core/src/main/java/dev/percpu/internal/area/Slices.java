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
     * Ends all segments, and gives the piece back. No thread can be in the middle of an access then: the JVM stops each
     * thread to make sure of that when the arena is closed.
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

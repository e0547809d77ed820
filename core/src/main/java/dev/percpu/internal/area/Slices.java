package dev.percpu.internal.area;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A piece as segments.
 *
 * @param position where it lies in each CPU's place; negative if it is not in the area
 * @param perCpu the segments, by CPU
 * @param arena what the segments belong to; null if the piece is not in the area
 * @param holding what gives the piece back; null if the piece is not in the area
 */
public record Slices(
        long position, List<MemorySegment> perCpu, @Nullable Arena arena, Holdings.@Nullable Holding holding) {
    public MemorySegment of(int cpu) {
        return perCpu.get(cpu);
    }

    /**
     * Ends all segments, and gives the piece back: no thread can be in the middle of an access when the arena is
     * closed, as the JVM stops each to see to it.
     *
     * <p>If a segment is in use by native code that it was passed to, it stays as it is, and the piece comes back
     * when no segment is reachable.
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

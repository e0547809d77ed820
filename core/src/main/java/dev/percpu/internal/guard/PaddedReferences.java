package dev.percpu.internal.guard;

import org.jspecify.annotations.Nullable;

/**
 * One reference for each CPU, each on a cache line of its own. The line that holds the array's length, which everyone
 * reads for the bounds check, is kept apart too: beside CPU 0's reference it would be lost with each of its writes.
 *
 * @param <T> what is referred to
 */
public final class PaddedReferences<T> {
    /** References take 4 bytes, or 8 in a large heap, so this is one cache line, or two. */
    private static final int DISTANCE = 16;

    private static final int FIRST = 2 * DISTANCE;

    private final @Nullable Object[] slots;

    public PaddedReferences(int cpus) {
        slots = new Object[FIRST + cpus * DISTANCE];
    }

    @SuppressWarnings("unchecked") // only set() stores
    public @Nullable T get(int cpu) {
        return (@Nullable T) slots[FIRST + cpu * DISTANCE];
    }

    public void set(int cpu, @Nullable T value) {
        slots[FIRST + cpu * DISTANCE] = value;
    }
}

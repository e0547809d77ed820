package dev.percpu.internal.guard;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An array on the heap with one element for each CPU. The elements are spaced so that no two CPUs write the same cache
 * line. They are kept away from the array's header too. Every access reads the header for the bounds check. Beside CPU
 * 0's element, the header would move between caches with each of CPU 0's updates.
 *
 * <p>Only an array has a layout on the heap that can be relied on: the JVM orders an object's fields as it likes, and
 * the garbage collector puts objects side by side.
 */
public final class PaddedArray {
    /** References take at least 4 bytes, so this is at least a cache line. */
    private static final int DISTANCE = 16;

    private static final int FIRST = 2 * DISTANCE;

    /** Two cache lines: processors fetch the neighbour of a line along with it. */
    private static final int SPACER_BYTES = 128;

    private PaddedArray() {}

    /** The length that the array needs. */
    public static int length(int cpus) {
        return index(cpus) + DISTANCE;
    }

    /**
     * Puts a CPU's object into an array, and keeps it on cache lines of its own. Small objects that are created
     * together lie together, so without this two CPUs that update their own objects would write the same line.
     *
     * <p>The array holds a spacer before the object and one behind it. A collector that copies lays out objects in the
     * order in which it reaches them, so it puts the spacers around the object again. Spacers in another array would
     * not do: the collector would copy all of these first, and then put the objects side by side.
     *
     * @param create creates the object; called between the allocations of the two spacers
     * @return the object
     */
    public static <T> T put(@Nullable Object[] array, int cpu, Supplier<? extends T> create) {
        int index = index(cpu);
        array[index - 1] = new byte[SPACER_BYTES];
        T object = create.get();
        array[index] = object;
        array[index + 1] = new byte[SPACER_BYTES];
        return object;
    }

    /** The index of a CPU's element. */
    public static int index(int cpu) {
        return FIRST + cpu * DISTANCE;
    }
}

package dev.percpu.internal.guard;

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

    private PaddedArray() {}

    /** The length that the array needs. */
    public static int length(int cpus) {
        return index(cpus) + DISTANCE;
    }

    /** The index of a CPU's element. */
    public static int index(int cpu) {
        return FIRST + cpu * DISTANCE;
    }
}

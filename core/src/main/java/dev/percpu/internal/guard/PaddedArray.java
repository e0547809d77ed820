package dev.percpu.internal.guard;

/**
 * An array on the heap with one element for each CPU: where they lie, so that what one CPU writes is on no other
 * CPU's cache line. They are kept from the array's header too: everyone reads that for the bounds check, and beside
 * CPU 0's element it would move between caches with each of its updates.
 *
 * <p>An array is the one thing on the heap whose layout is known: the JVM orders an object's fields as it likes, and
 * the collector puts objects side by side.
 */
public final class PaddedArray {
    /** References take 4 bytes at least, so this is a cache line, or more. */
    private static final int DISTANCE = 16;

    private static final int FIRST = 2 * DISTANCE;

    private PaddedArray() {}

    /** How long the array must be. */
    public static int length(int cpus) {
        return index(cpus) + DISTANCE;
    }

    /** Where a CPU's element is. */
    public static int index(int cpu) {
        return FIRST + cpu * DISTANCE;
    }
}

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
    public static final int DISTANCE = 16;

    public static final int FIRST = 2 * DISTANCE;

    /** Two cache lines: processors fetch the neighbour of a line along with it. */
    private static final int SPACER_BYTES = 128;

    /** Small objects that keep an object apart where there is no room for a spacer; 16 bytes each. */
    private static final int CRUMBS = SPACER_BYTES / 16;

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
     * not do: the collector would copy all of these first, and then put the objects side by side. Nor may anything else
     * that a collector could reach first refer to the objects of several CPUs.
     *
     * <p>A thread allocates in a buffer of its own. If a spacer does not fit into what is left of it, the JVM can put
     * the spacer elsewhere, and smaller objects of two CPUs into what is left. A collector does the same with the end
     * of the space that it copies to. So there are also crumbs before the spacers, which are as small as an object can
     * be: where an object still fits, they fit too.
     *
     * <p>Two things put objects side by side nevertheless, and nothing here can prevent it. An object that replaces
     * another later has no spacers of its own. And with ZGC threads move what they read, as {@link #touch} tells. All
     * threads move objects into one page if the heap is too small for a page for each CPU: 5% of it ({@code
     * ZFragmentationLimit}) must be at least 2 MiB for each CPU.
     *
     * @param create creates the object; called between the allocations of the two spacers
     * @return the object
     */
    public static <T> T put(@Nullable Object[] array, int cpu, Supplier<? extends T> create) {
        int index = index(cpu);
        array[index - 1] = new byte[SPACER_BYTES];
        for (int crumb = 0; crumb < CRUMBS; crumb++) {
            array[index - 2 - crumb] = new byte[0];
        }
        T object = create.get();
        array[index] = object;
        array[index + 1] = new byte[SPACER_BYTES];
        return object;
    }

    /**
     * Reads a CPU's object and the spacers around it. A thread that visits the objects of several CPUs calls this
     * before it uses each. While ZGC moves objects, a thread that reads one that has not been moved yet moves it
     * itself, right behind the one that it moved before. A thread that reads the objects of all CPUs and no spacers
     * would so put them side by side. Later collections keep the order in which objects lie, so that would be for ever.
     *
     * @throws IllegalStateException if the spacers are not there
     */
    @SuppressWarnings("ReferenceEquality") // of three objects, not of what they contain
    public static void touch(@Nullable Object[] array, int cpu) {
        int index = index(cpu);
        Object before = array[index - 1];
        Object object = array[index];
        Object behind = array[index + 1];
        // Comparing all three makes the compiler keep the reads.
        if (before == object || object == behind || behind == before) {
            throw new IllegalStateException("no spacers around the object of CPU " + cpu);
        }
    }

    /** The index of a CPU's element. */
    public static int index(int cpu) {
        return FIRST + cpu * DISTANCE;
    }
}

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

    /**
     * How many spacers are before an object, and how many behind it: all elements between two objects. Each takes 16
     * bytes, so 240 bytes lie between two objects. (Two cache lines would do: processors fetch the neighbour of a line
     * along with it.)
     */
    private static final int BEFORE = DISTANCE / 2 - 1;

    private static final int BEHIND = DISTANCE / 2;

    private PaddedArray() {}

    /** The length that the array needs. */
    public static int length(int cpus) {
        return index(cpus) + DISTANCE;
    }

    /**
     * Puts a CPU's object into an array, and keeps it on cache lines of its own. Small objects that are created
     * together lie together, so without this two CPUs that update their own objects would write the same line.
     *
     * <p>The array holds spacers before the object and behind it. A collector that copies lays out objects in the
     * order in which it reaches them, so it puts the spacers around the object again. Spacers in another array would
     * not do: the collector would copy all of these first, and then put the objects side by side. Nor may anything else
     * that a collector could reach first refer to the objects of several CPUs.
     *
     * <p>Nor would one large spacer do. A thread allocates in a buffer of its own. If a large spacer did not fit into
     * what is left of the buffer, the JVM could put it elsewhere, and the smaller objects of two CPUs into what is
     * left, side by side. These spacers are as small as an object can be.
     *
     * <p>Two things put objects side by side nevertheless, and nothing here can prevent it. An object that replaces
     * another later has no spacers of its own. And with ZGC threads move what they read, as {@link #touch} tells. All
     * threads move objects into one page if the heap is too small for a page for each CPU: 5% of it ({@code
     * ZFragmentationLimit}) must be at least 2 MiB for each CPU.
     *
     * @param create creates the object; called between the allocations of the spacers
     * @return the object
     */
    public static <T> T put(@Nullable Object[] array, int cpu, Supplier<? extends T> create) {
        int index = index(cpu);
        for (int before = BEFORE; before > 0; before--) {
            array[index - before] = new byte[0];
        }
        T object = create.get();
        array[index] = object;
        for (int behind = 1; behind <= BEHIND; behind++) {
            array[index + behind] = new byte[0];
        }
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
    @SuppressWarnings("ReferenceEquality") // of the objects, not of what they contain
    public static void touch(@Nullable Object[] array, int cpu) {
        int index = index(cpu);
        Object last = array;
        for (int at = index - BEFORE; at <= index + BEHIND; at++) {
            Object next = array[at];
            // Comparing them makes the compiler keep the reads.
            if (next == last) {
                throw new IllegalStateException("no spacers around the object of CPU " + cpu);
            }
            last = next;
        }
    }

    /** The index of a CPU's element. */
    public static int index(int cpu) {
        return FIRST + cpu * DISTANCE;
    }
}

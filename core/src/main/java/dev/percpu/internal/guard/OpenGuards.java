package dev.percpu.internal.guard;

import dev.percpu.internal.area.Area;
import java.util.Arrays;

/**
 * What the owner of a CPU records about its open guards. Only the owner reads and writes it, so nothing here is atomic:
 * it passes from one owner to the next along with the guard word.
 *
 * <p>It is on the heap and not beside the guard word because arrays are little work for the JIT compiler. An access to
 * a memory segment is a dozen or so methods to inline. With segments, a guard, a token and the user's function together
 * exceeded the compiler's inlining limits. Where it stops inlining, guard and token are allocated on the heap.
 */
public final class OpenGuards {
    /** The kernel's preempt_count has eight bits for the same purpose. */
    public static final int MOST = 255;

    /** What {@link #levelOf} returns for a guard that is no longer open. */
    public static final int ENDED = -1;

    /** {@link #MOST} plus one, which makes it a power of two and keeps the indices simple. */
    public static final int LEVELS = MOST + 1;

    /**
     * Public for a method of the library that acquires a guard, calls code of the user, and then has no stack left to
     * call {@code close()}. Nobody else has that guard, so nobody could close it later, and its CPU would stay taken
     * for as long as the thread lives. Such a method stores the guard's level here itself, and counts its generation.
     * A store needs no stack. If it was the thread's only guard of the CPU, the CPU has an owner and no open guard from
     * then on, and that is repaired: see {@link Ownership}. It must not do so if a guard that was acquired later
     * is open.
     */
    @SuppressWarnings("MutablePublicArray") // see above; the package is not exported
    public static final int[] COUNTS = new int[PaddedArray.length(Area.CPUS)];

    /**
     * For each CPU and level, how many guards with tokens have been closed there, plus 1. Together with the level it
     * makes a serial number for the guard that is open there now, and for no guard before or after it. Levels above the
     * first are hardly ever used, so they double as padding between the CPUs.
     */
    @SuppressWarnings("MutablePublicArray") // public for the same reason as COUNTS
    public static final long[] GENERATIONS = new long[(Area.CPUS + 1) * LEVELS];

    static {
        Arrays.fill(GENERATIONS, 1);
    }

    private OpenGuards() {}

    /** How many guards the CPU's owner has open. The first is at level 0. */
    public static int count(int cpu) {
        return COUNTS[PaddedArray.index(cpu)];
    }

    /**
     * Counts one more guard of a CPU that the thread owns.
     *
     * @return its level
     * @throws IllegalStateException if there are as many as possible
     */
    public static int open(int cpu) {
        int index = PaddedArray.index(cpu);
        int level = COUNTS[index];
        if (level == MOST) {
            throw new IllegalStateException("this thread has " + level + " guards of CPU " + cpu
                    + " open, which is the maximum: some are never closed");
        }
        // The guard must reach the caller now, so nothing that can fail may follow.
        COUNTS[index] = level + 1;
        return level;
    }

    public static void setCount(int cpu, int count) {
        COUNTS[PaddedArray.index(cpu)] = count;
    }

    /** The serial number of the guard open at a level; never 0. */
    public static long serial(int cpu, int level) {
        return (GENERATIONS[index(cpu, level)] << Byte.SIZE) | level;
    }

    /** Changes the serial number, so that no open guard has the old one. */
    public static void endSerial(int cpu, int level) {
        GENERATIONS[index(cpu, level)]++;
    }

    /**
     * The level of the open guard with this serial number; {@link #ENDED} if there is none. A guard with tokens changes
     * its serial number before it ends, so the count need not be asked.
     */
    public static int levelOf(int cpu, long serial) {
        int level = (int) serial & MOST;
        return serial(cpu, level) == serial ? level : ENDED;
    }

    /** Ends all guards of a dead owner, and with them its tokens. If an error interrupts it, it can be repeated. */
    static void endAll(int cpu) {
        for (int level = 0; level < count(cpu); level++) {
            endSerial(cpu, level);
        }
        setCount(cpu, 0);
    }

    /** CPU 0's elements are not the first ones, since those are beside the array's header. */
    private static int index(int cpu, int level) {
        return (cpu + 1) * LEVELS + level;
    }
}

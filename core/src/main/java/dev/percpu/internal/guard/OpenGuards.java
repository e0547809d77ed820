package dev.percpu.internal.guard;

import dev.percpu.internal.area.Area;
import java.util.Arrays;

/**
 * What the owner of a CPU keeps about the guards that it has open. Only the owner reads and writes it, so nothing
 * here is atomic: with the guard word it passes from one owner to the next.
 *
 * <p>It lies on the heap and not beside the guard word because the JIT compiler has little work with arrays, and much
 * with memory segments: an access is some dozen methods to inline. A guard, a token and the user's function together
 * were more than it takes on at once; where it stops, guard and token become objects on the heap.
 */
public final class OpenGuards {
    /** The kernel's preempt_count has eight bits for the same purpose. */
    public static final int MOST = 255;

    /** What {@link #levelOf} returns for a guard that is not open any more. */
    public static final int ENDED = -1;

    /** {@link #MOST}, and one that keeps the indices simple. */
    private static final int LEVELS = MOST + 1;

    private static final int[] COUNTS = new int[PaddedArray.length(Area.CPUS)];

    /**
     * For each CPU and level, how many guards with tokens have been closed there, plus 1. With the level it makes a
     * number that names the guard now open there, and none before or after it. Hardly any level but the first is ever
     * used, so the levels that follow keep the CPUs' apart.
     */
    private static final long[] GENERATIONS = new long[(Area.CPUS + 1) * LEVELS];

    static {
        Arrays.fill(GENERATIONS, 1);
    }

    private OpenGuards() {}

    /** How many there are. The first is at level 0. */
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
                    + " open, and more are not possible: a guard is not being closed");
        }
        // From here on the guard must reach the caller, so nothing may follow that can fail.
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

    /** Lets the serial number be that of no open guard any more. */
    public static void endSerial(int cpu, int level) {
        GENERATIONS[index(cpu, level)]++;
    }

    /** The level of the open guard that has this serial number; {@link #ENDED} if none has. */
    public static int levelOf(int cpu, long serial) {
        int level = (int) serial & MOST;
        return level < count(cpu) && serial(cpu, level) == serial ? level : ENDED;
    }

    /** Ends all guards of a dead owner, and so its tokens. If an error breaks it off, it can be repeated. */
    static void endAll(int cpu) {
        for (int level = 0; level < count(cpu); level++) {
            endSerial(cpu, level);
        }
        setCount(cpu, 0);
    }

    /** CPU 0's are not the first ones, which are beside the array's header. */
    private static int index(int cpu, int level) {
        return (cpu + 1) * LEVELS + level;
    }
}

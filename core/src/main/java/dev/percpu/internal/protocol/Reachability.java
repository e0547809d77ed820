package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import java.lang.ref.Reference;

/**
 * Keeps a variable reachable until ordinary instructions have updated it in an own place. After that its memory may go
 * to another variable.
 */
@SuppressWarnings("ReachabilityFenceUsage") // an update that throws makes no store after that
public final class Reachability {
    /*
     * Reference.reachabilityFence alone does not do it in JDK 25, where it is an empty method (JDK-8290892). C2 keeps
     * an object if compiled code uses it later, or if the bytecode does and the thread stops in between. Of a loop that
     * updates the variable of a static field, C2 moves all that does not change to the front:
     *
     *   thread T                                          others
     *   1. reads the field, where the number lies, and
     *      where the own place is
     *   2. in the loop, adds to that number only; it may
     *      stop between two rounds, but not in a round
     *                                                     3. make a new variable, store it in the field
     *                                                     4. collect the old one, give its memory to a third
     *   5. goes on: the third variable has T's additions
     *
     * T may overlook 3 for as long as it likes, but then 4 must not happen. So each update ends with a use of the
     * variable that cannot move to the front, since it depends on the number that was stored. C2 takes that use for one
     * that never happens. It costs a comparison and a branch.
     *
     * Opaque stores would prevent it too: after each, C2 reads the field again. That is what they cost.
     */

    /** A number that is unlikely, and that fits into a comparison. If it comes, all is right, but slower. */
    private static final long UNLIKELY = Integer.MIN_VALUE;

    static {
        Use.initialize();
        // Links what an update of an event calls.
        untilUpdated(Reachability.class, Area.offset(Area.SPARE, CpuHeader.GUARD_WORD));
    }

    private Reachability() {}

    /** Forces this class to initialize: see {@link Sums#initialize}. */
    public static void initialize() {
        // Calling this is enough.
    }

    /**
     * Keeps a variable reachable until a plain store has been made.
     *
     * @param stored what was stored
     */
    static void untilStored(Object variable, long stored) {
        if (stored == UNLIKELY) {
            // The use must be in the branch: where the thread leaves compiled code, C2 keeps only what the branch
            // needs.
            Use.use(variable);
        }
        // For compilers that heed it.
        Reference.reachabilityFence(variable);
    }

    /**
     * Keeps an event reachable until the current thread has made its updates in its own place. This reads the place's
     * guard word, which is always 0: nobody acquires a guard there.
     *
     * @param place where the thread's own place begins
     */
    public static void untilUpdated(Object event, long place) {
        // The compiler does not move an opaque read to the front either, nor a store behind it.
        untilStored(event, (long) Area.LONG.getOpaque(Area.MEMORY, place));
    }

    /** A use that takes nothing but a call. */
    @SuppressWarnings("serial") // there are no objects of it
    private static final class Use extends NotInlined {
        static void initialize() {
            // Calling this is enough.
        }

        static void use(Object variable) {
            Reference.reachabilityFence(variable);
        }
    }
}

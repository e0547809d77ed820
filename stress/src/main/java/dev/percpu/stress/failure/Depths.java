package dev.percpu.stress.failure;

import org.jspecify.annotations.Nullable;

/**
 * Which depths of the stack are tried, from the end of the stack on: each one, or some of them.
 *
 * <p>Most depths of a whole run show the same: an operation that looks for room on the stack first fails there hundreds
 * of times. With more room an operation gets further, so if the same step fails at two depths, it is the one that fails
 * in between. That is passed over if only some depths are tried, in longer and longer leaps. If another step fails
 * after a leap, the leap went too far, and short ones follow from where it began.
 *
 * <p>This can miss a handler of the failure that itself fails at some of the depths in between, if the thrown error
 * does not show it. So the longest leap is not very long, and a whole run makes none.
 */
final class Depths {
    /** At so many depths in a row the operation must pass before the stack counts as deep enough for all steps. */
    private static final int ENOUGH = 24;

    private static final int NONE = -1;

    private final int shortest;
    private final int longest;
    private final int end;

    private int depth;

    /** How far it is to {@link #depth} from the depth that was tried before. */
    private int leap;

    private @Nullable Object failedBefore;
    private int passedFrom = NONE;

    private Depths(int shortest, int longest, int end) {
        this.shortest = shortest;
        this.longest = longest;
        this.end = end;
        this.leap = shortest;
    }

    /** Each one that is less than the end. */
    static Depths each(int end) {
        return new Depths(1, 1, end);
    }

    /** Some of those that are less than the end. */
    static Depths some(int end) {
        return new Depths(5, 40, end);
    }

    /** The one to be tried. */
    int depth() {
        return depth;
    }

    /** Whether there is none left to be tried. */
    boolean isOver() {
        return depth >= end || (hasPassed() && depth - passedFrom >= ENOUGH);
    }

    /** Whether the operation passed where it was tried last. */
    boolean hasPassed() {
        return passedFrom != NONE;
    }

    /**
     * Goes on to the next depth.
     *
     * @param failed the step that failed at this one; null if the operation passed
     */
    void next(@Nullable Object failed) {
        boolean same = failed != null && failed.equals(failedBefore);
        if (!same && leap > shortest) {
            depth += shortest - leap;
            leap = shortest;
            return;
        }
        if (failed != null) {
            passedFrom = NONE;
        } else if (passedFrom == NONE) {
            passedFrom = depth;
        }
        failedBefore = failed;
        leap = same ? Math.min(2 * leap, longest) : shortest;
        depth += leap;
    }
}

package dev.percpu.stress.failure;

import dev.percpu.PerCpuRuntime;
import org.jspecify.annotations.Nullable;

/**
 * An operation and the things it is used on. It is used many times in a row, so damage that a failure leaves behind is
 * found later on, even if it cannot be seen at once. One thread calls all methods of one round.
 */
abstract class Trial {
    /** Another thread, for what the trial's own thread cannot do. */
    @SuppressWarnings("NullAway.Init") // Operation sets it before anything else is called
    OtherThread other;

    /** Makes ready for {@link #act}. No failure is caused here. */
    void prepare() throws Exception {}

    /** The operation, in which a step is made to fail. */
    abstract void act() throws Exception;

    /**
     * Checks that {@link #act} had its whole effect or none, and brings everything back to where {@link #prepare} can
     * start again. No failure is caused here, unless a system call is refused: that goes on for this thread, but not
     * for the other one.
     *
     * @param thrown what {@code act} threw; null if it returned, so that it must have had its effect
     * @return whether it had its effect
     * @throws Violation if it had another one, or if something was lost
     */
    abstract boolean verify(@Nullable Throwable thrown) throws Exception;

    /** Checks that a number is what it was before an update, or what it is after it. */
    static boolean beforeOrAfter(String what, long before, long after, long actual, @Nullable Throwable thrown) {
        if (actual == after) {
            return before != after || thrown == null;
        }
        if (actual == before && thrown != null) {
            return false;
        }
        throw new Violation(what + ": " + actual + " instead of " + after
                + (thrown == null ? "" : ", or " + before + " if it did not happen"));
    }

    /** How many variables of this name are listed. */
    static long listed(String name) {
        return PerCpuRuntime.variables().stream()
                .filter(found -> found.name().equals(name))
                .count();
    }

    /** Checks that a number is what it must be in any case. */
    static void same(String what, long expected, long actual) {
        if (actual != expected) {
            throw new Violation(what + ": " + actual + " instead of " + expected);
        }
    }

    /** Checks that something holds. */
    static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new Violation(otherwise);
        }
    }
}

package dev.percpu.testing;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;

/** Tries something near the end of the stack, where at each depth another call finds no room. */
public final class StackEnd {
    /** So many levels in a row without an error show that there is room for all of it. */
    private static final int ENOUGH = 256;

    private final Callable<Boolean> attempt;
    private final Throwable[] failures = new Throwable[1 << 16];
    private int failed;
    private int passed;

    private StackEnd(Callable<Boolean> attempt) {
        this.attempt = attempt;
    }

    /**
     * Makes the attempt at each depth, from the end of the stack upwards, until there is room enough for it.
     *
     * @param attempt returns whether it did what it should
     * @return what it threw, with the least room first
     */
    public static List<Throwable> failures(Callable<Boolean> attempt) {
        StackEnd end = new StackEnd(attempt);
        end.descend();
        return List.of(Arrays.copyOf(end.failures, end.failed));
    }

    /** Goes down to the end of the stack, and makes the attempt at each level on the way back. */
    @SuppressWarnings("InfiniteRecursion")
    private void descend() {
        try {
            descend();
        } catch (StackOverflowError _) {
            // The end.
        }
        if (passed < ENOUGH) {
            try {
                passed = attempt.call() ? passed + 1 : 0;
            } catch (Throwable failure) {
                failures[failed++] = failure;
                passed = 0;
            }
        }
    }
}

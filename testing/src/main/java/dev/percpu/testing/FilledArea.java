package dev.percpu.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Leaves no room in the area for another variable until it is closed. This module does not use the library, so whoever
 * fills the area says with what.
 */
public final class FilledArea implements AutoCloseable {
    private static final int LONGEST = 1 << 26;

    /** There is room again once one of this length fits. */
    private static final int ROOM = 1 << 20;

    private final List<Object> filling = new ArrayList<>();
    private final IntFunction<Object> arrays;
    private final Class<? extends RuntimeException> full;

    /**
     * Fills the area.
     *
     * @param arrays makes an array of counters of some length
     * @param full what is thrown if there is no room for it
     */
    public FilledArea(IntFunction<Object> arrays, Class<? extends RuntimeException> full) {
        this.arrays = arrays;
        this.full = full;
        for (int length = LONGEST; length > 0; length /= 2) {
            while (fits(length)) {
                // A shorter one may find room after the last one that did.
            }
        }
    }

    private boolean fits(int length) {
        try {
            filling.add(arrays.apply(length));
            return true;
        } catch (RuntimeException e) {
            if (!full.isInstance(e)) {
                throw e;
            }
            return false;
        }
    }

    /** Has the garbage collector find what fills the area. */
    @Override
    public void close() {
        filling.clear();
        try {
            Garbage.collectUntil(() -> fits(ROOM));
            filling.clear();
        } catch (InterruptedException timeIsUp) {
            throw new AssertionError("the area is still full", timeIsUp);
        }
    }
}

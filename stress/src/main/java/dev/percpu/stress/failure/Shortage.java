package dev.percpu.stress.failure;

import org.jspecify.annotations.Nullable;

/** A way to fail that leaves an operation a little of what it needs. */
interface Shortage extends Way {
    /**
     * Has the code that causes the shortage used once: its own first use could fail.
     *
     * @param room what is left for that
     */
    void rehearse(int room);

    /**
     * Uses an operation with so little room, and returns what it threw; null if it returned.
     *
     * @param trial whose operation it is
     * @param room how much is left, in a unit of this way's own
     */
    @Nullable
    Throwable use(Trial trial, int room);
}

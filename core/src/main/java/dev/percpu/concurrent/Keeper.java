package dev.percpu.concurrent;

/**
 * What the owner of a place keeps of a pool's ids: see {@link KeptIds}. Different CPUs write two keepers, and those of
 * a pool lie side by side.
 */
final class Keeper extends PaddedInFront {
    /** In {@link #kept} and {@link #taken}: no id. */
    static final int NOTHING = 0;

    /**
     * The id of the thread that has the place, if it has kept something; otherwise of an earlier one, or 0. A thread
     * finds its own id only where it has put it, and has the place from then on until it ends.
     */
    long owner;

    /** An id plus one, or {@link #NOTHING}. Only the place's thread writes it. */
    int kept;

    /** What a search has taken out of {@link #kept}. A search sets it under the lock, and only the thread clears it. */
    int taken;
}

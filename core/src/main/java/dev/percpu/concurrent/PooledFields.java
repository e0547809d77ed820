package dev.percpu.concurrent;

import org.jspecify.annotations.Nullable;

/**
 * The fields of a {@link Pooled}, in a class above it: HotSpot puts them in front of the subclass's, and so its padding
 * behind all of them. In one class, it puts the padding in the middle, and what a CPU writes beside the
 * next object's fields.
 */
abstract class PooledFields<T> {
    /*
     *            acquire               release: reset runs           retired
     *   IDLE ------------> HELD ---------------> LEAVING ---> GONE <--------- LEAVING
     *     ^                  ^                      |                            ^
     *     |                  | pushing failed       | reset failed; discard;     | whoever finishes it
     *     +------------------+----------------------+------> UNFINISHED ---------+
     *
     * The state is written by whoever has the object's number, apart from the step from UNFINISHED to LEAVING. That is
     * a compare-and-set, since the object may be left by a thread whose stack overflowed, and any thread may finish it.
     */

    /** No thread holds the object. */
    static final int IDLE = 0;

    static final int HELD = 1;

    /** It is made, reset or destroyed just now. */
    static final int LEAVING = 2;

    /** It is to be destroyed, and its place to be made vacant, and no thread is about to do it. */
    static final int UNFINISHED = 3;

    /** Its place is vacant, or is another object's by now. */
    static final int GONE = 4;

    final PooledObjects<T> pool;
    final int id;

    /** Null until the factory has made it, and once it is destroyed. */
    @Nullable
    T object;

    int state;

    /**
     * In checked mode: who holds the object, or did last; null if there was no holder, and always without checked mode.
     */
    @Nullable
    Acquisition<T> acquisition;

    PooledFields(PooledObjects<T> pool, int id) {
        this.pool = pool;
        this.id = id;
    }
}

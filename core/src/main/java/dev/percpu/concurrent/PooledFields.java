package dev.percpu.concurrent;

import org.jspecify.annotations.Nullable;

/**
 * The fields of a {@link Pooled}, in its superclass: HotSpot lays a superclass's fields out first, so the padding of
 * {@link Pooled} comes behind all of them. If all were in one class, HotSpot would put the padding in the middle, and
 * {@link #state} beside the next object's fields.
 */
abstract class PooledFields<T> {
    /*
     *            acquire               release: reset runs           retired
     *   IDLE ------------> HELD ---------------> LEAVING ---> GONE <--------- LEAVING
     *     ^                  ^                      |                            ^
     *     |                  | pushing failed       | reset failed; discard;     | whoever finishes it
     *     +------------------+----------------------+------> UNFINISHED ---------+
     *
     * The thread that has the object's number writes the state. The step from UNFINISHED to LEAVING is a
     * compare-and-set instead: a thread whose stack overflowed may have left the object behind, and then any thread may
     * finish it.
     */

    /** No thread holds the object. */
    static final int IDLE = 0;

    static final int HELD = 1;

    /** A thread is making, resetting or destroying it. */
    static final int LEAVING = 2;

    /** It has to be destroyed and its place made vacant, and no thread is doing it. */
    static final int UNFINISHED = 3;

    /** Its place is vacant, or belongs to another object by now. */
    static final int GONE = 4;

    final PooledObjects<T> pool;
    final int id;

    /** Null until the factory has made it, and once it is destroyed. */
    @Nullable
    T object;

    int state;

    /**
     * In checked mode, the object's present or last acquisition; null if there was none. Always null otherwise.
     */
    @Nullable
    Acquisition<T> acquisition;

    PooledFields(PooledObjects<T> pool, int id) {
        this.pool = pool;
        this.id = id;
    }
}

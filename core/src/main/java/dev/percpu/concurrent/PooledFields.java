package dev.percpu.concurrent;

import org.jspecify.annotations.Nullable;

/** The fields of a {@link Pooled}, in its superclass, and behind the padding of their own superclass. */
abstract class PooledFields<T> extends PaddedInFront {
    /*
     *            acquire               release: reset runs           id becomes vacant
     *   IDLE ------------> HELD ---------------> LEAVING -----------------> GONE
     *     ^                  ^                      ^
     *     |                  | pushing failed       | reset failed; discard; trim or close;
     *     +------------------+----------------------+ in checked mode, no memory for a handle
     *
     * The thread that has the object's id writes the state. If a thread's stack overflows while the object is leaving,
     * the thread sets "unfinished" and gives up. Then any thread may go on.
     */

    /** No thread holds the object. */
    static final int IDLE = 0;

    static final int HELD = 1;

    /**
     * A thread is making, resetting or destroying it; or no thread is any more, and it still has to be destroyed: see
     * {@link #unfinished}.
     */
    static final int LEAVING = 2;

    /** Its entry is vacant, or belongs to another object by now. */
    static final int GONE = 3;

    final PooledObjects<T> pool;
    final int id;

    /** Null until the factory has made it, and once it is destroyed. */
    @Nullable
    T object;

    int state;

    /**
     * Whether the object still has to be destroyed and its entry made vacant, and no thread is doing it. Volatile: a
     * thread that goes on must see what the last holder did to the object.
     */
    volatile boolean unfinished;

    /** Whether the last holder discarded it. The next object has another handle, so this stays as it is. */
    boolean discarded;

    /** The keeper of the thread that last kept the object: see {@link KeptIds}. */
    @Nullable
    Keeper keeper;

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

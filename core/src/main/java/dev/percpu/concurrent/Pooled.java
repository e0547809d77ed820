package dev.percpu.concurrent;

import java.lang.ref.Reference;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The handle of an object of a {@link PerCpuPool}. Its holder is the thread that acquired it, until it releases it.
 *
 * <pre>{@code
 * try (Pooled<Buffer> buffer = pool.acquire()) {
 *     buffer.get().write(message);
 * }
 * }</pre>
 *
 * <p>The handle is made together with its object and stays the same each time the object is acquired, so acquiring
 * allocates nothing. A holder may pass it to another thread, by a queue for example; then that thread releases it.
 *
 * <p>It must not be used after its release. Using it throws as long as nobody else has acquired the object. From then
 * on it works on that holder's object: this is the price of allocating nothing. In checked mode
 * ({@code -Dpercpu.checked=true}, see {@link PerCpuPool}) each acquisition has a handle of its own, and using it after
 * its release always throws.
 *
 * @param <T> the object's type
 */
public final class Pooled<T> extends PooledFields<T> implements AutoCloseable {
    private static final String USE = "use a handle only while you hold its object, and release it once";

    /** The pool's own handle, for an object that is not made yet. */
    Pooled(PooledObjects<T> pool, int id) {
        super(pool, id);
        state = LEAVING;
    }

    /** The handle of one acquisition, in checked mode. */
    Pooled(Acquisition<T> acquisition) {
        super(acquisition.entry.pool, acquisition.entry.id);
        this.acquisition = acquisition;
    }

    /**
     * The object.
     *
     * @throws IllegalStateException if it is released and nobody has acquired it since; or in the factory, which has
     *     not returned it yet
     */
    public T get() {
        Pooled<T> entry = CheckedMode.ON ? checkedEntry() : this;
        if (entry.state != HELD) {
            throw entry.notHeld();
        }
        return entry.object();
    }

    /**
     * Calls the pool's reset hook and gives the object back. If an error such as {@link StackOverflowError} interrupts
     * this, the object is held or destroyed, or has to be destroyed. Call this again to finish; it throws {@link
     * IllegalStateException} if nothing is left to do. This is for handles that no {@code try} closes: {@link #close()}
     * would be a second release.
     *
     * @throws IllegalStateException if it is released already and nobody has acquired it since. If somebody has, this
     *     releases it for that holder. If two threads release it at the same instant, both may return: {@link
     *     PerCpuPool} detects that when the object is acquired
     * @throws RuntimeException what the reset hook threw; then the object is destroyed, and the pool can make another
     *     instead. Also what the destroy hook threw
     */
    public void release() {
        release(false);
    }

    /** {@link #release()}, for {@code try}. If the object was {@linkplain #discard() discarded}, it does nothing. */
    @Override
    public void close() {
        if (CheckedMode.ON && acquisition != null && acquisition.endedByDiscard()) {
            return;
        }
        release(true);
    }

    private void release(boolean unlessDiscarded) {
        if (!CheckedMode.ON) {
            pool.release(this, unlessDiscarded);
            return;
        }
        try {
            pool.release(checkedEntry(), unlessDiscarded);
        } finally {
            // Otherwise the garbage collector may find this handle while a hook runs, and it is logged as lost.
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Takes the object out of the pool for good, for example because it is broken. This calls the pool's destroy
     * hook, not the reset hook. Then the pool can make another object instead. If an error interrupts this, see
     * {@link #release()}. The handle may still be closed, so this can be called in a {@code try} that closes it.
     *
     * @throws IllegalStateException as {@link #release()} does
     * @throws RuntimeException what the destroy hook threw: the object counts as destroyed all the same
     */
    public void discard() {
        try {
            pool.discard(CheckedMode.ON ? checkedEntry() : this);
        } finally {
            // As in release.
            Reference.reachabilityFence(this);
        }
    }

    /** The object, whoever holds it. */
    T object() {
        return Objects.requireNonNull(object);
    }

    /** The pool's own handle for this one; this one itself, if it is the pool's and the object keeps it. */
    private Pooled<T> checkedEntry() {
        Acquisition<T> mine = acquisition;
        if (mine == null || mine.entry == this) {
            return this;
        }
        if (!mine.isCurrent()) {
            throw mine.explain(new IllegalStateException(
                    "this handle of object " + id + " of " + pool + " is released already: " + USE));
        }
        return mine.entry;
    }

    IllegalStateException notHeld() {
        IllegalStateException failure =
                new IllegalStateException("object " + id + " of " + pool + " is not held: " + USE);
        Acquisition<T> last = acquisition;
        return last == null ? failure : last.explain(failure);
    }

    @Override
    public String toString() {
        @Nullable Acquisition<T> mine = acquisition;
        boolean held = (mine == null || mine.entry == this) ? state == HELD : mine.isCurrent();
        return "object " + id + " of " + pool + (held ? ", held" : ", not held");
    }
}

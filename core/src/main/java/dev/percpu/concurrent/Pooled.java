package dev.percpu.concurrent;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An object of a {@link PerCpuPool}, in the hands of whoever acquired it until it is released.
 *
 * <pre>{@code
 * try (Pooled<Buffer> buffer = pool.acquire()) {
 *     buffer.get().write(message);
 * }
 * }</pre>
 *
 * <p>It is made together with the object and stays the same each time the object is acquired, so acquiring allocates
 * nothing. It may be handed to another thread, which then releases it, as long as the two are ordered, as by a queue.
 *
 * <p>After its release it must not be used. As long as nobody else has acquired the object, using it throws. Later it
 * works on what is the other's then: this is the price of allocating nothing. In checked mode
 * ({@code -Dpercpu.checked=true}, see {@link PerCpuPool}) each acquisition has a handle of its own, and using it after
 * its release always throws.
 *
 * @param <T> the object's type
 */
public final class Pooled<T> extends PooledFields<T> implements AutoCloseable {
    /**
     * Objects that were made together lie together, and different CPUs write to {@link #state}: this keeps two off one
     * cache line and off the one that is fetched with it.
     */
    @SuppressWarnings("unused")
    private long p01, p02, p03, p04, p05, p06, p07, p08, p09, p10, p11, p12, p13, p14, p15, p16;

    /** The handle that the pool keeps for an object that is to be made. */
    Pooled(PooledObjects<T> pool, int id) {
        super(pool, id);
        state = LEAVING;
    }

    /** A holder's own handle, in checked mode. */
    Pooled(Acquisition<T> acquisition) {
        super(acquisition.place.pool, acquisition.place.id);
        this.acquisition = acquisition;
    }

    /**
     * The object.
     *
     * @throws IllegalStateException if it is released, as far as that can be seen: see above; or in the factory, which
     *     has not returned it yet
     */
    public T get() {
        Pooled<T> place = CheckedMode.ON ? checkedPlace() : this;
        if (place.state != HELD) {
            throw place.notHeld();
        }
        return place.object();
    }

    /**
     * Gives the object back, after the pool's reset hook has seen it. If an error breaks this off
     * ({@link StackOverflowError}, say), the object is either still held, or released or destroyed; calling it again
     * then does what is left to do, and throws {@link IllegalStateException} if that is nothing.
     *
     * @throws IllegalStateException if it is released already, as far as that can be seen: always, if nobody has
     *     acquired it since; not, if somebody has, or if two threads release it at the same instant
     * @throws RuntimeException what the reset hook threw: the object is destroyed then, and its place in the pool is
     *     free for another. Also what the destroy hook threw
     */
    public void release() {
        pool.release(CheckedMode.ON ? checkedPlace() : this);
    }

    /** {@link #release()}, for {@code try}. */
    @Override
    public void close() {
        pool.release(CheckedMode.ON ? checkedPlace() : this);
    }

    /**
     * Takes the object out of the pool for good, as it turned out to be broken, say: the pool's destroy hook is called,
     * and its place is free for another object. The reset hook is not called. What breaks this off leaves it as {@link
     * #release()} does.
     *
     * @throws IllegalStateException as {@link #release()} does
     * @throws RuntimeException what the destroy hook threw: the object counts as destroyed all the same
     */
    public void discard() {
        pool.discard(CheckedMode.ON ? checkedPlace() : this);
    }

    /** The object, whoever holds it. */
    T object() {
        return Objects.requireNonNull(object);
    }

    /** What the pool's own handle is, for a holder's; itself, if it is the pool's and the object keeps it. */
    private Pooled<T> checkedPlace() {
        Acquisition<T> mine = acquisition;
        if (mine == null || mine.place == this) {
            return this;
        }
        if (!mine.isCurrent()) {
            throw mine.explain(new IllegalStateException("this handle of object " + id + " of a " + pool
                    + " is released already: use what a pool lends after acquiring it and before its one release"));
        }
        return mine.place;
    }

    IllegalStateException notHeld() {
        IllegalStateException failure = new IllegalStateException(
                this + ": use what a pool lends after acquiring it and before its one release");
        Acquisition<T> last = acquisition;
        return last == null ? failure : last.explain(failure);
    }

    @Override
    public String toString() {
        @Nullable Acquisition<T> mine = acquisition;
        boolean held = (mine == null || mine.place == this) ? state == HELD : mine.isCurrent();
        return "object " + id + " of a " + pool + (held ? ", held" : ", not held");
    }
}

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
 * works on what is the other's then: this is the price of allocating nothing.
 *
 * @param <T> the object's type
 */
public final class Pooled<T> extends PooledFields<T> implements AutoCloseable {
    /**
     * Objects that were made together lie together, and different CPUs write to {@link #held}: this keeps two off one
     * cache line and off the one that is fetched with it.
     */
    @SuppressWarnings("unused")
    private long p01, p02, p03, p04, p05, p06, p07, p08, p09, p10, p11, p12, p13, p14, p15, p16;

    Pooled(PerCpuPool<T> pool, int id) {
        super(pool, id);
    }

    /**
     * The object.
     *
     * @throws IllegalStateException if it is released, as far as that can be seen: see above; or in the factory, which
     *     has not returned it yet
     */
    public T get() {
        checkHeld();
        return object();
    }

    /**
     * Gives the object back, after the pool's reset hook has seen it.
     *
     * @throws IllegalStateException if it is released already, as far as that can be seen: always, if nobody has
     *     acquired it since; not, if somebody has, or if two threads release it at the same instant
     * @throws RuntimeException what the reset hook threw: the object is destroyed then, and its place in the pool is free
     *     for another. Also what the destroy hook threw
     */
    public void release() {
        pool.release(this);
    }

    /** {@link #release()}, for {@code try}. */
    @Override
    public void close() {
        pool.release(this);
    }

    int id() {
        return id;
    }

    /** The object, whoever holds it. */
    T object() {
        return Objects.requireNonNull(object);
    }

    void setObject(@Nullable T made) {
        object = made;
    }

    /** Begins a holder's time. */
    void take() {
        if (held) {
            // Only a number that is on two stacks comes here. It is on one less now, so the pool repairs itself.
            throw new IllegalStateException(
                    this + ": two threads released it at once earlier on, so it was idle twice");
        }
        held = true;
    }

    /** Ends the holder's time. */
    void letGo() {
        checkHeld();
        held = false;
    }

    private void checkHeld() {
        if (!held) {
            throw new IllegalStateException(
                    this + ": use what a pool lends after acquiring it and before its one release");
        }
    }

    @Override
    public String toString() {
        return "object " + id + " of a " + pool + (held ? ", held" : ", not held");
    }
}

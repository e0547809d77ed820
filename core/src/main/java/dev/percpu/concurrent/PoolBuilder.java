package dev.percpu.concurrent;

import dev.percpu.internal.listing.Registry;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Builds a {@link PerCpuPool}.
 *
 * @param <T> the objects' type
 */
public final class PoolBuilder<T> {
    final int capacity;
    final Function<? super Pooled<T>, ? extends T> factory;

    /** Whether the objects keep a handle, so that a holder may drop the one that it got. */
    final boolean keepsHandles;

    @Nullable
    Consumer<? super T> reset;

    @Nullable
    Consumer<? super T> destroy;

    @Nullable
    String name;

    private boolean hotThreadsKeep;

    PoolBuilder(int capacity, Function<? super Pooled<T>, ? extends T> factory, boolean keepsHandles) {
        if (capacity < 1 || capacity > PooledIds.MOST) {
            throw new IllegalArgumentException(
                    "the capacity of a pool must be from 1 to " + PooledIds.MOST + " objects, not " + capacity
                            + ". Each takes 12 bytes of heap from the start, so choose as many as will be in use at"
                            + " once");
        }
        this.capacity = capacity;
        this.keepsHandles = keepsHandles;
        this.factory = Objects.requireNonNull(factory, "factory");
    }

    /**
     * Gives the pool a name.
     *
     * @param poolName for messages and listings, not blank; it need not be unique
     */
    public PoolBuilder<T> name(String poolName) {
        name = Registry.checkName(poolName);
        return this;
    }

    /**
     * Sets a hook that cleans each object when it is released, for its next holder. The hook cannot discard the object.
     * If it throws, the object is destroyed, and the release throws the same.
     */
    public PoolBuilder<T> reset(Consumer<? super T> hook) {
        reset = Objects.requireNonNull(hook, "hook");
        return this;
    }

    /** Sets a hook that is called for each object that leaves the pool for good. */
    public PoolBuilder<T> destroy(Consumer<? super T> hook) {
        destroy = Objects.requireNonNull(hook, "hook");
        return this;
    }

    /**
     * Has each hot thread keep one object that it released: it acquires and releases that object without a native call.
     * A thread is hot if it is a platform thread that uses this library all the time. At most a quarter of the objects
     * are kept, so with fewer than four objects none is.
     *
     * <p>This is for pools that platform threads use, and that are seldom exhausted. Other threads get a kept object
     * only as a last resort, after the pool has made all the objects that it may. An object that a thread keeps stays
     * in the pool when the thread ends. Virtual threads keep nothing, and take a little longer. Where the library
     * cannot call {@code membarrier}, this changes nothing.
     */
    public PoolBuilder<T> keepOnePerHotThread() {
        hotThreadsKeep = true;
        return this;
    }

    PooledIds ids() {
        return hotThreadsKeep ? KeptIds.create(capacity, label()) : new PooledIds(capacity, label());
    }

    /** What the pool is called in messages. */
    String label() {
        return name == null ? "a PerCpuPool" : "pool \"" + name + "\"";
    }

    /**
     * Creates the pool. It has no object yet.
     *
     * @throws dev.percpu.memory.AreaFullException if the per-CPU area is full
     */
    public PerCpuPool<T> build() {
        PerCpuPool<T> pool = new PerCpuPool<>(this);
        return name == null ? pool : pool.listed(name);
    }
}

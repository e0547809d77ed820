package dev.percpu.concurrent;

import dev.percpu.internal.Registry;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a pool is made from.
 *
 * @param <T> the objects' type
 */
public final class PoolBuilder<T> {
    final int capacity;
    final Function<? super Pooled<T>, ? extends T> factory;

    @Nullable
    Consumer<? super T> reset;

    @Nullable
    Consumer<? super T> destroy;

    @Nullable
    String name;

    PoolBuilder(int capacity, Function<? super Pooled<T>, ? extends T> factory) {
        if (capacity < 1) {
            throw new IllegalArgumentException(
                    "a pool of " + capacity + " objects: it must have room for one at least");
        }
        this.capacity = capacity;
        this.factory = Objects.requireNonNull(factory, "factory");
    }

    /**
     * Gives the pool a name.
     *
     * @param poolName for messages and listings; it need not be unique
     */
    public PoolBuilder<T> name(String poolName) {
        name = Registry.checkName(poolName);
        return this;
    }

    /** Sets what is done to each object when it is released, so that its next holder finds it clean. */
    public PoolBuilder<T> reset(Consumer<? super T> hook) {
        reset = Objects.requireNonNull(hook, "hook");
        return this;
    }

    /** Sets what is done to each object when it leaves the pool for good. */
    public PoolBuilder<T> destroy(Consumer<? super T> hook) {
        destroy = Objects.requireNonNull(hook, "hook");
        return this;
    }

    /**
     * Makes the pool, without any object yet.
     *
     * @throws dev.percpu.memory.AreaFullException if the per-CPU area is full
     */
    public PerCpuPool<T> build() {
        PerCpuPool<T> pool = new PerCpuPool<>(this);
        if (name != null) {
            Registry.add(name, "PerCpuPool", pool, PerCpuPool::values);
        }
        return pool;
    }
}

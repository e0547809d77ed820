package dev.percpu.concurrent;

import org.jspecify.annotations.Nullable;

/**
 * The fields of a {@link Pooled}, in a class above it: HotSpot puts them in front of the subclass's, and so its padding behind
 * all of them. In one class, it puts the padding in the middle, and what a CPU writes beside the next object's fields.
 */
abstract class PooledFields<T> {
    final PerCpuPool<T> pool;
    final int id;

    /** Null until the factory has made it, and once it is destroyed. */
    @Nullable
    T object;

    /** Written by the holder only, when its time begins and when it ends. */
    boolean held;

    PooledFields(PerCpuPool<T> pool, int id) {
        this.pool = pool;
        this.id = id;
    }
}

package dev.percpu.concurrent;

import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Pools in which a thread that waits for an object looks again only if it is told. So a wake-up that is lost leaves it
 * waiting, and does not just cost it a second.
 */
public final class ToldPools {
    private ToldPools() {}

    /** {@link PerCpuPool#builder(int, Supplier)}. */
    public static <T> PoolBuilder<T> builder(int capacity, Supplier<? extends T> factory) {
        PoolBuilder<T> builder = PerCpuPool.builder(capacity, factory);
        builder.lookUnasked = TimeUnit.DAYS.toNanos(1);
        return builder;
    }
}

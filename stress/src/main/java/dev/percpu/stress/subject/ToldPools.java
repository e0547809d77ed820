package dev.percpu.stress.subject;

import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PoolBuilder;
import dev.percpu.internal.guard.UnaskedLooks;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Pools in which a thread that waits for an object looks again only if it is told. So a wake-up that is lost leaves it
 * waiting, and does not just cost it a second.
 */
public final class ToldPools {
    private static final long NEVER = TimeUnit.DAYS.toNanos(1);

    private ToldPools() {}

    /** {@link PerCpuPool#builder(int, Supplier)}. */
    public static synchronized <T> PoolBuilder<T> builder(int capacity, Supplier<? extends T> factory) {
        UnaskedLooks.set(NEVER);
        try {
            return PerCpuPool.builder(capacity, factory);
        } finally {
            UnaskedLooks.reset();
        }
    }
}

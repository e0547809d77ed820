package dev.percpu.stress.subject;

import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PoolBuilder;
import dev.percpu.internal.guard.UnaskedLooks;
import java.util.concurrent.TimeUnit;

/**
 * Pools in which a thread that waits for an object looks again only if it is told. So a wake-up that is lost leaves it
 * waiting, and does not just cost it a second.
 */
public final class ToldPools {
    private static final long NEVER = TimeUnit.DAYS.toNanos(1);

    private ToldPools() {}

    /** {@link PoolBuilder#build()}. */
    public static synchronized <T> PerCpuPool<T> build(PoolBuilder<T> builder) {
        UnaskedLooks.set(NEVER);
        try {
            return builder.build();
        } finally {
            UnaskedLooks.reset();
        }
    }
}

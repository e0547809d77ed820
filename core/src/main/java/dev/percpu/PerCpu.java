package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A per-CPU variable: every possible CPU has its own instance, protected by the CPU's {@link CpuGuard}.
 *
 * <p>The library's own are {@link StaticPerCpu} and {@link DynamicPerCpu}; a type of yours can implement this too, with
 * the {@link PerCpuPtr} of one of those.
 *
 * @param <T> the type of the instances
 */
public interface PerCpu<T> {
    /**
     * Where the instances are.
     *
     * @throws IllegalStateException if the variable is closed
     */
    PerCpuPtr<T> ptr();

    /**
     * Makes a token for exclusive access to the instance of the guard's CPU. It lives as long as the guard; while it
     * does, no other token for this instance can be had. A second token for the same instance, once the first is done
     * with, takes a guard nested for the first.
     *
     * @throws IllegalStateException if another token for the instance is live (nothing is changed then), or if the
     *     guard or the variable is closed
     * @throws WrongThreadException if the guard belongs to another thread
     */
    default PerCpuToken<T> getMut(CpuGuard guard) {
        return PerCpuToken.of(guard, ptr());
    }

    /** Calls {@code function} with the current CPU's instance under a guard of its own, and returns its result. */
    default <R> R with(Function<? super T, ? extends R> function) {
        try (CpuGuard guard = CpuGuard.acquire()) {
            return getMut(guard).with(function);
        }
    }

    /** Calls {@code action} with the current CPU's instance under a guard of its own. */
    default void run(Consumer<? super T> action) {
        try (CpuGuard guard = CpuGuard.acquire()) {
            getMut(guard).run(action);
        }
    }

    /**
     * Calls {@code action} with the instance of every possible CPU in turn, each under that CPU's guard. The calls are
     * of different moments. Each costs what {@link CpuGuard#acquire(CpuId)} costs.
     *
     * @throws IllegalStateException if a guard is taken while this thread holds one already; the action has run for
     *     the CPUs before then
     */
    default void forEachCpu(BiConsumer<CpuId, ? super T> action) {
        PerCpuPtr<T> instances = ptr();
        for (CpuId cpu : CpuMask.possible()) {
            try (CpuGuard guard = CpuGuard.acquire(cpu)) {
                PerCpuToken.of(guard, instances).run(instance -> action.accept(cpu, instance));
            }
        }
    }
}

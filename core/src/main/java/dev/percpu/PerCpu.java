package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import java.util.concurrent.TimeUnit;
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

    /**
     * Calls {@code action} with the instance of every possible CPU whose guard can be had within a given time, each
     * under that CPU's guard. So a guard that some thread never closes does not keep the caller for ever. The CPUs
     * whose guards are free come first, in ascending order; then those that had to be waited for, in ascending order.
     * The time is for all of them together. The calls are of different moments, and each costs what {@link
     * CpuGuard#acquire(CpuId)} costs.
     *
     * @param timeout the longest time to wait for guards; if it is not positive, the method does not wait. The
     *     time that
     *     the action takes counts as well, but no call of it is broken off
     * @return the CPUs that the action has run for; all of {@link CpuMask#possible()} if none was left out
     * @throws IllegalStateException if it would have to wait while this thread holds a guard already; the action
     *     has run
     *     for the CPUs whose guards were free
     * @throws InterruptedException if the thread is interrupted before or while it waits; the action may have run for
     *     some CPUs, which {@code action} can note if that matters
     */
    default CpuMask forEachCpu(long timeout, TimeUnit unit, BiConsumer<CpuId, ? super T> action)
            throws InterruptedException {
        long start = System.nanoTime();
        // Not negative, as what is left of the most negative time would overflow.
        long nanos = Math.max(unit.toNanos(timeout), 0);
        PerCpuPtr<T> instances = ptr();
        CpuMask visited = CpuMask.none();
        for (CpuId cpu : CpuMask.possible()) {
            try (CpuGuard guard = CpuGuard.tryAcquire(cpu)) {
                if (guard != null) {
                    PerCpuToken.of(guard, instances).run(instance -> action.accept(cpu, instance));
                    visited.set(cpu);
                }
            }
        }
        for (CpuId cpu : CpuMask.possible()) {
            long left = nanos - (System.nanoTime() - start);
            if (visited.test(cpu) || left <= 0) {
                continue;
            }
            try (CpuGuard guard = CpuGuard.tryAcquire(cpu, left, TimeUnit.NANOSECONDS)) {
                if (guard != null) {
                    PerCpuToken.of(guard, instances).run(instance -> action.accept(cpu, instance));
                    visited.set(cpu);
                }
            }
        }
        return visited;
    }
}

package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.guard.OpenGuards;
import dev.percpu.internal.guard.PaddedArray;
import dev.percpu.internal.protocol.StackRoom;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A per-CPU variable: every possible CPU has its own instance, protected by the CPU's {@link CpuGuard}.
 *
 * <p>The library implements it in {@link StaticPerCpu}, {@link DynamicPerCpu} and {@link ExternPerCpu}. Your own types
 * can implement it too, with the {@link PerCpuPtr} of one of those.
 *
 * @param <T> the type of the instances
 */
public interface PerCpu<T> {
    /**
     * The pointer to the instances.
     *
     * @throws IllegalStateException if the variable is closed
     */
    PerCpuPtr<T> ptr();

    /**
     * Creates a token for exclusive access to the instance of the guard's CPU. The token lives as long as the guard,
     * and while it lives, no other token for this instance can be created. To create a second token for the same
     * instance later, create the first with a nested guard of the same CPU, {@code CpuGuard.acquire(guard.cpu())}, and
     * close that guard when you no longer need the token.
     *
     * @throws IllegalStateException if another token for the instance is live (nothing is changed then), or if the
     *     guard or the variable is closed
     * @throws WrongThreadException if the guard belongs to another thread
     */
    default PerCpuToken<T> getMut(CpuGuard guard) {
        return PerCpuToken.of(guard, ptr());
    }

    /**
     * Acquires a guard, calls {@code function} with the current CPU's instance, and returns its result. The function
     * must not keep the instance, and must not block.
     *
     * @throws IllegalStateException if the variable is closed; or if this thread is using the instance already, as in
     *     a call from inside {@code run} or {@code with} of the same variable. Where the scheduler has moved the thread
     *     meanwhile, such a call may get another CPU's instance instead
     */
    @SuppressWarnings("MustBeClosedChecker") // it does not see that "try (guard)" closes it
    default <R extends @Nullable Object> R with(Function<? super T, ? extends R> function) {
        CpuGuard guard = CpuGuard.acquire();
        try (guard) {
            return ptr().with(guard, function);
        } finally {
            // If close() failed, these stores end the guard and its tokens: see OpenGuards.COUNTS. No method does it,
            // as there may be no stack to call one.
            int count = PaddedArray.FIRST + guard.cpu * PaddedArray.DISTANCE;
            if (!guard.closing && OpenGuards.COUNTS[count] == guard.level + 1) {
                OpenGuards.GENERATIONS[(guard.cpu + 1) * OpenGuards.LEVELS + guard.level]++;
                OpenGuards.COUNTS[count] = guard.level;
            }
        }
    }

    /**
     * Acquires a guard and calls {@code action} with the current CPU's instance. The action must not keep the instance,
     * and must not block.
     *
     * @throws IllegalStateException as {@link #with} does
     */
    @SuppressWarnings("MustBeClosedChecker") // it does not see that "try (guard)" closes it
    default void run(Consumer<? super T> action) {
        CpuGuard guard = CpuGuard.acquire();
        try (guard) {
            ptr().run(guard, action);
        } finally {
            // As in with.
            int count = PaddedArray.FIRST + guard.cpu * PaddedArray.DISTANCE;
            if (!guard.closing && OpenGuards.COUNTS[count] == guard.level + 1) {
                OpenGuards.GENERATIONS[(guard.cpu + 1) * OpenGuards.LEVELS + guard.level]++;
                OpenGuards.COUNTS[count] = guard.level;
            }
        }
    }

    /**
     * Calls {@code action} with the instance of every possible CPU in turn, each under that CPU's guard. The calls
     * happen one after the other, so together they are not an atomic snapshot. Each costs as much
     * as {@link CpuGuard#acquire(CpuId)}.
     *
     * @throws IllegalStateException if the variable is closed; if this thread is using a CPU's instance already, as in
     *     a call from inside {@code run} or {@code with} of the same variable; or as {@link CpuGuard#acquire(CpuId)}
     *     does, if another thread holds a CPU's guard and this thread must not wait for it. The action has run for the
     *     CPUs before that one
     */
    default void forEachCpu(BiConsumer<CpuId, ? super T> action) {
        PerCpuPtr<T> instances = ptr();
        for (CpuId cpu : CpuMask.possible()) {
            StackRoom.CURRENT.ensure();
            try (CpuGuard guard = CpuGuard.acquire(cpu)) {
                instances.visit(guard, action);
            }
        }
    }

    /**
     * Calls {@code action} with the instance of every possible CPU whose guard can be acquired within a given time,
     * each under that CPU's guard. So a thread that never closes its guard does not block the caller for ever. The CPUs
     * whose guards are free come first, in ascending order; then those whose guards this method had to wait for, in
     * ascending order. The timeout covers all CPUs together. The calls happen one after the other, so together they are
     * not an atomic snapshot. Each costs as much as {@link CpuGuard#acquire(CpuId)}.
     *
     * @param timeout the longest time to wait for guards; if it is not positive, the method does not wait. The time
     *     that the action takes counts as well, but no call of it is cut short
     * @return the CPUs that the action has run for; equal to {@link CpuMask#possible()} if none was left out
     * @throws IllegalStateException if the variable is closed; if this thread is using a CPU's instance already, as in
     *     a call from inside {@code run} or {@code with} of the same variable: then the action has run for the CPUs
     *     before that one whose guards were free; or as {@link CpuGuard#acquire(CpuId)} does, if the method would have
     *     to wait and this thread must not: then the action has run for all CPUs whose guards were free
     * @throws InterruptedException if the thread is interrupted before or while it waits; the action may have run for
     *     some CPUs, and can itself record which ones if that matters
     */
    default CpuMask forEachCpu(long timeout, TimeUnit unit, BiConsumer<CpuId, ? super T> action)
            throws InterruptedException {
        long start = System.nanoTime();
        // At least 0: subtracting the elapsed time from the most negative timeout would overflow.
        long nanos = Math.max(unit.toNanos(timeout), 0);
        PerCpuPtr<T> instances = ptr();
        CpuMask visited = CpuMask.none();
        for (CpuId cpu : CpuMask.possible()) {
            StackRoom.CURRENT.ensure();
            try (CpuGuard guard = CpuGuard.tryAcquire(cpu)) {
                if (guard != null) {
                    instances.visit(guard, action);
                    visited.set(cpu);
                }
            }
        }
        for (CpuId cpu : CpuMask.possible()) {
            long left = nanos - (System.nanoTime() - start);
            if (visited.test(cpu) || left <= 0) {
                continue;
            }
            StackRoom.CURRENT.ensure();
            try (CpuGuard guard = CpuGuard.tryAcquire(cpu, left, TimeUnit.NANOSECONDS)) {
                if (guard != null) {
                    instances.visit(guard, action);
                    visited.set(cpu);
                }
            }
        }
        return visited;
    }
}

package dev.percpu;

import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Exclusive access to one CPU's instance of a variable, for as long as the guard that it was created with is open.
 *
 * <p>A function must not keep the instance that it receives: the instance must not be used after the function returns.
 * Each method throws {@link IllegalStateException} if the guard or the variable is closed, and {@link
 * WrongThreadException} on any thread other than the guard's. In both cases the function is not called.
 *
 * @param <T> the type of the instance
 */
public final class PerCpuToken<T> {
    private final CpuGuard guard;
    private final PerCpuPtr<T> ptr;

    private PerCpuToken(CpuGuard guard, PerCpuPtr<T> ptr) {
        this.guard = guard;
        this.ptr = ptr;
    }

    /**
     * Creates a token for the instance of the guard's CPU; {@link PerCpu#getMut} does the same.
     *
     * @throws IllegalStateException if another token for the instance is live, or the guard or variable is closed
     * @throws WrongThreadException if the guard belongs to another thread
     */
    public static <T> PerCpuToken<T> of(CpuGuard guard, PerCpuPtr<T> ptr) {
        ptr.borrowExclusively(guard);
        return new PerCpuToken<>(guard, ptr);
    }

    /** Calls {@code function} with the instance and returns its result. */
    public <R extends @Nullable Object> R with(Function<? super T, ? extends R> function) {
        return function.apply(ptr.instance(guard.checkUsable()));
    }

    /** Calls {@code action} with the instance. */
    public void run(Consumer<? super T> action) {
        action.accept(ptr.instance(guard.checkUsable()));
    }

    /**
     * Replaces the instance, and returns the old one.
     *
     * @throws UnsupportedOperationException if the instance is a view of memory: only the contents of the
     *     memory can change
     */
    public T replace(T instance) {
        return ptr.replace(guard.checkUsable(), instance);
    }
}

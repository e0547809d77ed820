package dev.percpu;

import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Shared access to one CPU's instance of a variable, for as long as the guard that it was created with is open. Any
 * number of these tokens can be live for one instance, all of them in one thread.
 *
 * <p>The methods throw the same exceptions as those of {@link PerCpuToken}.
 *
 * @param <T> the type of the instance
 */
public final class CheckedPerCpuToken<T extends InteriorMutable> {
    private final CpuGuard guard;
    private final PerCpuPtr<T> ptr;

    private CheckedPerCpuToken(CpuGuard guard, PerCpuPtr<T> ptr) {
        this.guard = guard;
        this.ptr = ptr;
    }

    /**
     * Creates a token for the instance of the guard's CPU; {@link CheckedPerCpu#get} does the same.
     *
     * @throws IllegalStateException if an exclusive token for the instance is live, or the guard or variable is closed
     * @throws WrongThreadException if the guard belongs to another thread
     */
    public static <T extends InteriorMutable> CheckedPerCpuToken<T> of(CpuGuard guard, PerCpuPtr<T> ptr) {
        ptr.borrowShared(guard);
        return new CheckedPerCpuToken<>(guard, ptr);
    }

    /** Calls {@code function} with the instance and returns its result. */
    public <R extends @Nullable Object> R with(Function<? super T, ? extends R> function) {
        return function.apply(ptr.instance(guard.checkUsable()));
    }

    /** Calls {@code action} with the instance. */
    public void run(Consumer<? super T> action) {
        action.accept(ptr.instance(guard.checkUsable()));
    }
}

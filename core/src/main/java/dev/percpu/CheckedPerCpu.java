package dev.percpu;

import java.util.Objects;

/**
 * A per-CPU variable whose instances control their own changes, so shared tokens for one instance can nest: code that
 * holds a token can call code that creates another. The name is the Rust API's; the checked mode of pools and locks
 * ({@code -Dpercpu.checked}) is something else.
 *
 * @param <T> the type of the instances
 */
public interface CheckedPerCpu<T extends InteriorMutable> extends PerCpu<T> {
    /**
     * Creates a token for shared access to the instance of the guard's CPU. The token lives as long as the guard.
     *
     * @throws IllegalStateException if an exclusive token for the instance is live, or the guard or variable is closed
     * @throws WrongThreadException if the guard belongs to another thread
     */
    default CheckedPerCpuToken<T> get(CpuGuard guard) {
        return CheckedPerCpuToken.of(guard, ptr());
    }

    /**
     * Returns the checked form of a variable whose instances are interior mutable. Both are the same variable: closing
     * or changing one closes or changes the other.
     */
    static <T extends InteriorMutable> CheckedPerCpu<T> of(PerCpu<T> variable) {
        return variable instanceof CheckedPerCpu<T> checked
                ? checked
                : new CheckedVariable<>(Objects.requireNonNull(variable));
    }
}

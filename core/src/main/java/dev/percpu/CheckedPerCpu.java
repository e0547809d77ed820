package dev.percpu;

/**
 * A per-CPU variable whose instances control their own changes, so that shared tokens for one can nest: the code that
 * holds one can call code that takes another.
 *
 * @param <T> the type of the instances
 */
public interface CheckedPerCpu<T extends InteriorMutable> extends PerCpu<T> {
    /**
     * Makes a token for shared access to the instance of the guard's CPU. It lives as long as the guard.
     *
     * @throws IllegalStateException if an exclusive token for the instance is live, or if the guard or the variable is
     *     closed
     * @throws WrongThreadException if the guard belongs to another thread
     */
    default CheckedPerCpuToken<T> get(CpuGuard guard) {
        return CheckedPerCpuToken.of(guard, ptr());
    }

    /**
     * The checked form of a variable whose instances are interior mutable. It is the same variable: closing or
     * changing one is closing or changing the other.
     */
    static <T extends InteriorMutable> CheckedPerCpu<T> of(PerCpu<T> variable) {
        return variable instanceof CheckedPerCpu<T> checked ? checked : variable::ptr;
    }
}

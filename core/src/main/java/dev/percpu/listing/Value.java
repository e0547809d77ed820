package dev.percpu.listing;

import java.util.List;

/**
 * One number of a variable: in total, and by CPU if it has a part on each. All numbers of a value are {@link Long}s, or
 * all are {@link Double}s.
 *
 * @param name which of the variable's numbers it is, for example {@code value}, {@code count}, {@code p99}
 * @param cumulative whether it is a sum of updates, so that the difference of two readings is what was added in between
 * @param total the whole
 * @param perCpu the parts, indexed by CPU id; empty if it has no part on a CPU
 * @param elsewhere the part that belongs to no CPU: for a counter, the updates of threads without a CPU id and of hot
 *     threads that have a place of their own, less what resets have taken out
 */
public record Value(String name, boolean cumulative, Number total, List<Number> perCpu, Number elsewhere) {
    /** Creates a value. */
    public Value {
        perCpu = List.copyOf(perCpu);
    }
}

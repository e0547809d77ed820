package dev.percpu.listing;

import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;

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

    /** A number that is not a sum of updates, and has no parts on CPUs. */
    public static Value of(String name, long number) {
        return new Value(name, false, number, List.of(), number);
    }

    /** A number that is not a sum of updates, and has a part on each CPU. */
    public static Value of(String name, Number total, List<? extends Number> perCpu, Number elsewhere) {
        return new Value(name, false, total, List.copyOf(perCpu), elsewhere);
    }

    /** A sum of updates that has no parts on CPUs. */
    public static Value sum(String name, long total) {
        return new Value(name, true, total, List.of(), total);
    }

    /** A sum of updates. It wraps at 64 bits. */
    public static Value sum(String name, long[] perCpu, long elsewhere) {
        long total = elsewhere + LongStream.of(perCpu).sum();
        List<Number> parts =
                LongStream.of(perCpu).<Number>mapToObj(Long::valueOf).toList();
        return new Value(name, true, total, parts, elsewhere);
    }

    /** A sum of updates. */
    public static Value sum(String name, double[] perCpu, double elsewhere) {
        // Not DoubleStream.sum(), which corrects rounding errors: a variable's own sum does not.
        double total = elsewhere;
        for (double part : perCpu) {
            total += part;
        }
        List<Number> parts =
                DoubleStream.of(perCpu).<Number>mapToObj(Double::valueOf).toList();
        return new Value(name, true, total, parts, elsewhere);
    }
}

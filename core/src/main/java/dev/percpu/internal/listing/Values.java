package dev.percpu.internal.listing;

import dev.percpu.listing.Value;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;

/** Makes the values of a listing. */
public final class Values {
    private Values() {}

    /** A number that is not a sum of updates, and has no parts on CPUs. */
    public static Value of(String name, long number) {
        return new Value(name, false, number, List.of(), number);
    }

    /** A number that is not a sum of updates, and has a part on each CPU. */
    public static Value of(String name, Number total, List<Number> perCpu, Number elsewhere) {
        return new Value(name, false, total, perCpu, elsewhere);
    }

    /** A sum of updates that has no parts on CPUs. */
    public static Value sum(String name, long total) {
        return new Value(name, true, total, List.of(), total);
    }

    /** A sum of updates. It wraps at 64 bits. */
    public static Value sum(String name, long[] perCpu, long elsewhere) {
        return new Value(
                name,
                true,
                elsewhere + LongStream.of(perCpu).sum(),
                LongStream.of(perCpu).<Number>mapToObj(Long::valueOf).toList(),
                elsewhere);
    }

    /** The same, of all parts in one array: each CPU's, and then the one that lies elsewhere. */
    public static Value sum(String name, long[] parts) {
        int cpus = parts.length - 1;
        return sum(name, Arrays.copyOf(parts, cpus), parts[cpus]);
    }

    /** A sum of updates. */
    public static Value sum(String name, double[] perCpu, double elsewhere) {
        // Not DoubleStream.sum(), which corrects rounding errors: a variable's own sum does not.
        double total = elsewhere;
        for (double part : perCpu) {
            total += part;
        }
        return new Value(
                name,
                true,
                total,
                DoubleStream.of(perCpu).<Number>mapToObj(Double::valueOf).toList(),
                elsewhere);
    }
}

package dev.percpu.benchmarks.measure;

import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;

/** What several measurements of the same thing came to. */
public record Spread(double median, double least, double greatest) {
    /** Of at least one measurement. */
    public static Spread of(Collection<Double> measured) {
        double[] sorted =
                measured.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int half = sorted.length / 2;
        double median = sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
        return new Spread(median, sorted[0], sorted[sorted.length - 1]);
    }

    /** All three, with commas in between. */
    @Override
    public String toString() {
        return DoubleStream.of(median, least, greatest)
                .mapToObj(number -> String.format(Locale.ROOT, "%.4g", number))
                .collect(Collectors.joining(","));
    }
}

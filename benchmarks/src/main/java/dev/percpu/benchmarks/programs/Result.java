package dev.percpu.benchmarks.programs;

import java.util.Locale;

/**
 * What one run measured.
 *
 * @param perSecond operations in a second, by all threads
 * @param medianNanos how long one of them takes
 * @param p99Nanos how long one in a hundred takes at least
 */
record Result(double perSecond, double medianNanos, double p99Nanos) {
    private static final String MARK = "result:";

    /** A line for {@link #parse}. */
    String line() {
        return String.format(Locale.ROOT, "%s %.1f %.1f %.1f", MARK, perSecond, medianNanos, p99Nanos);
    }

    /** Reads the line among others. */
    static Result parse(String output) {
        String line = output.lines()
                .filter(candidate -> candidate.startsWith(MARK))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the program printed no result, but: " + output));
        String[] parts = line.split(" ", -1);
        return new Result(Double.parseDouble(parts[1]), Double.parseDouble(parts[2]), Double.parseDouble(parts[3]));
    }
}

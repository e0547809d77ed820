package dev.percpu.benchmarks;

import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/**
 * What was measured for one thing at several points: a line of a chart.
 *
 * @param chart the chart's title
 * @param unit of the values
 * @param axis what the points are
 * @param role what it is in the comparison
 * @param label what it measures, as for {@link Role#label}
 * @param values the values by point
 */
record Curve(
        String chart, String unit, String axis, Role.Kind role, String label, SequencedMap<String, Double> values) {
    /** What comes before them in the output. A JVM may print something too, about its options. */
    static final String HEADER = "Curves:";

    /** All of it in one line, with tabs in between; the values as {@code point=value}. */
    @Override
    public String toString() {
        return String.join("\t", chart, unit, axis, role.toString(), label)
                + values.entrySet().stream().map(Curve::text).collect(Collectors.joining("\t", "\t", ""));
    }

    private static String text(Map.Entry<String, Double> value) {
        return value.getKey() + "=" + String.format(Locale.ROOT, "%.4g", value.getValue());
    }
}

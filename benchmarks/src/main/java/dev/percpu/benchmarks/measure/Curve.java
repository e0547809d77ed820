package dev.percpu.benchmarks.measure;

import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/**
 * What was measured for one thing at several points: a line of a chart.
 *
 * @param chart the chart's title
 * @param unit of the values; empty if each point says its own
 * @param axis what the points are
 * @param role what it is in the comparison
 * @param label what it measures, as for {@link Role#label}
 * @param values the values by point
 */
public record Curve(
        String chart, String unit, String axis, Role.Kind role, String label, SequencedMap<String, Spread> values) {
    /** All of it in one line, with tabs in between, as {@code point=value}. Nothing else that is printed has tabs. */
    @Override
    public String toString() {
        return String.join("\t", chart, unit, axis, role.toString(), label)
                + values.entrySet().stream().map(Curve::text).collect(Collectors.joining("\t", "\t", ""));
    }

    private static String text(Map.Entry<String, Spread> value) {
        return value.getKey() + "=" + value.getValue();
    }
}

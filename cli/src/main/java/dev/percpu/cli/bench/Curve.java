package dev.percpu.cli.bench;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import dev.percpu.cli.output.CliException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Stream;

/**
 * What was measured for one thing at several points, and is no time that JMH measures: a line of a chart.
 *
 * @param run where and when
 * @param chart the chart's title
 * @param unit of the values; empty if each point says its own
 * @param axis what the points are
 * @param kind what it is in the chart
 * @param label what it measures, for people
 * @param values the values by point
 */
record Curve(
        Run run,
        String chart,
        String unit,
        String axis,
        Roles.Kind kind,
        String label,
        SequencedMap<String, Value> values) {
    private static final int FIRST_VALUE = 5;

    /** What several measurements came to. */
    record Value(double median, double least, double greatest) {
        /** Reads the three numbers, with commas in between; or one that was measured once. */
        static Value parse(String text) {
            double[] numbers = Stream.of(text.split(",", -1))
                    .mapToDouble(Double::parseDouble)
                    .toArray();
            return numbers.length == 1
                    ? new Value(numbers[0], numbers[0], numbers[0])
                    : new Value(numbers[0], numbers[1], numbers[2]);
        }

        /** As {@link #parse} reads it. */
        private String text() {
            return least == greatest ? Double.toString(median) : median + "," + least + "," + greatest;
        }
    }

    /**
     * Reads a line with all but the run, and tabs between.
     *
     * @throws CliException if it is something else
     */
    static Curve parse(String line, Run run) {
        String[] fields = line.split("\t", -1);
        try {
            SequencedMap<String, Value> values = new LinkedHashMap<>();
            for (String value : Arrays.asList(fields).subList(FIRST_VALUE, fields.length)) {
                int equals = value.indexOf('=');
                values.put(value.substring(0, equals), Value.parse(value.substring(equals + 1)));
            }
            return new Curve(run, fields[0], fields[1], fields[2], Roles.Kind.valueOf(fields[3]), fields[4], values);
        } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new CliException("this is no curve: " + line, e);
        }
    }

    /** Reads what {@link #toJson} gave. */
    static Curve of(JsonObject json) {
        SequencedMap<String, Value> values = new LinkedHashMap<>();
        json.getAsJsonObject("values")
                .asMap()
                .forEach((point, value) -> values.put(point, Value.parse(value.getAsString())));
        return new Curve(
                Run.of(json.getAsJsonObject("percpu")),
                json.get("chart").getAsString(),
                json.get("unit").getAsString(),
                json.get("axis").getAsString(),
                Roles.Kind.valueOf(json.get("role").getAsString()),
                json.get("label").getAsString(),
                values);
    }

    JsonObject toJson() {
        SequencedMap<String, String> texts = new LinkedHashMap<>();
        values.forEach((point, value) -> texts.put(point, value.text()));
        return toJson(texts);
    }

    /** The same with medians alone, for a chart. */
    JsonObject toChart() {
        SequencedMap<String, Double> medians = new LinkedHashMap<>();
        values.forEach((point, value) -> medians.put(point, value.median));
        return toJson(medians);
    }

    private JsonObject toJson(SequencedMap<String, ?> shown) {
        JsonObject json = new JsonObject();
        json.addProperty("chart", chart);
        json.addProperty("unit", unit);
        json.addProperty("axis", axis);
        json.addProperty("role", kind.name());
        json.addProperty("label", label);
        json.add("values", new Gson().toJsonTree(shown));
        json.add("percpu", run.toJson());
        return json;
    }

    /** Its values as tables tell them, with dashes for points that it does not have. */
    List<String> cells(List<String> points) {
        return points.stream()
                .map(values::get)
                .map(value -> value == null ? "–" : Tables.spread(value.median, value.least, value.greatest))
                .toList();
    }

    /** What stands above the curves of its chart in a table. */
    String title() {
        return unit.isEmpty() ? "" : ", " + unit + "; " + axis + ":";
    }
}

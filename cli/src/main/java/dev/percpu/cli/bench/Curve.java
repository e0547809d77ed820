package dev.percpu.cli.bench;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.percpu.cli.CliException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;

/**
 * What was measured for one thing at several points, and is no time that JMH measures: a line of a chart.
 *
 * @param run where and when
 * @param chart the chart's title
 * @param unit of the values
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
        SequencedMap<String, Double> values) {
    private static final int FIRST_VALUE = 5;
    private static final double NANOS_PER_MILLI = 1e6;

    /**
     * Reads a line with all but the run, and tabs between.
     *
     * @throws CliException if it is something else
     */
    static Curve parse(String line, Run run) {
        String[] fields = line.split("\t", -1);
        try {
            SequencedMap<String, Double> values = new LinkedHashMap<>();
            for (String value : Arrays.asList(fields).subList(FIRST_VALUE, fields.length)) {
                int equals = value.indexOf('=');
                values.put(value.substring(0, equals), Double.valueOf(value.substring(equals + 1)));
            }
            return new Curve(run, fields[0], fields[1], fields[2], Roles.Kind.valueOf(fields[3]), fields[4], values);
        } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new CliException("this is no curve: " + line, e);
        }
    }

    /** What the measurement of start-up times says of one first use: medians, with and without an AOT cache. */
    static Curve ofStartUp(JsonObject json, Run run) {
        SequencedMap<String, Double> values = new LinkedHashMap<>();
        Stream.of(
                        Map.entry("the use", "use"),
                        Map.entry("the use, AOT cache", "useCached"),
                        Map.entry("the JVM", "jvm"),
                        Map.entry("the JVM, AOT cache", "jvmCached"))
                .forEach(point -> values.put(point.getKey(), median(json.getAsJsonArray(point.getValue()))));
        String first = json.get("first").getAsString();
        return new Curve(
                run,
                "Start-up",
                "ms",
                "first use in a fresh JVM",
                first.equals("nothing") || first.equals("call") ? Roles.Kind.FLOOR : Roles.Kind.OURS,
                json.get("label").getAsString(),
                values);
    }

    private static double median(JsonArray nanos) {
        List<Double> sorted = new ArrayList<>();
        nanos.forEach(one -> sorted.add(one.getAsDouble()));
        sorted.sort(null);
        return sorted.get(sorted.size() / 2) / NANOS_PER_MILLI;
    }

    /** Reads what {@link #toJson} gave. */
    static Curve of(JsonObject json) {
        SequencedMap<String, Double> values = new LinkedHashMap<>();
        json.getAsJsonObject("values").asMap().forEach((point, value) -> values.put(point, value.getAsDouble()));
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
        JsonObject json = new JsonObject();
        json.addProperty("chart", chart);
        json.addProperty("unit", unit);
        json.addProperty("axis", axis);
        json.addProperty("role", kind.name());
        json.addProperty("label", label);
        json.add("values", new Gson().toJsonTree(values));
        json.add("percpu", run.toJson());
        return json;
    }

    /** Which of two curves stand for the same: the later one replaces the other. */
    String identity() {
        return String.join("\t", chart, run.processor(), run.backend().toString(), label);
    }
}

package dev.percpu.cli.bench;

import com.google.gson.JsonObject;
import java.util.Map;
import java.util.TreeMap;

/**
 * What JMH measured for one benchmark method.
 *
 * @param comparison what it is compared within: the class, by its simple name, and if there are any the task and the
 *     parameters
 * @param method the method's name
 * @param kind what it is in the comparison
 * @param threads how many threads ran it at a time
 * @param nanos its time per operation, in nanoseconds
 * @param error half the width of the confidence interval of that; NaN if there were too few measurements for one
 * @param allocatedBytes how much it allocated per operation; NaN if that was not measured
 */
record BenchmarkResult(
        String comparison,
        String method,
        Roles.Kind kind,
        int threads,
        double nanos,
        double error,
        double allocatedBytes) {

    private static final String UNIT = "ns/op";
    private static final String ALLOCATION = "gc.alloc.rate.norm";

    /**
     * Reads an element of the array that JMH writes.
     *
     * @throws IllegalArgumentException if it is not in nanoseconds per operation
     */
    static BenchmarkResult of(JsonObject json, Roles roles) {
        String name = json.get("benchmark").getAsString();
        JsonObject metric = json.getAsJsonObject("primaryMetric");
        String unit = metric.get("scoreUnit").getAsString();
        if (!unit.equals(UNIT)) {
            throw new IllegalArgumentException(name + " was measured in " + unit + ", not in " + UNIT);
        }
        Roles.Role role = roles.of(name);
        int method = name.lastIndexOf('.') + 1;
        int simpleName = name.lastIndexOf('.', method - 2) + 1;
        return new BenchmarkResult(
                name.substring(simpleName, method - 1)
                        + (role.task().isEmpty() ? "" : ", " + role.task())
                        + parameters(json),
                name.substring(method),
                role.kind(),
                json.get("threads").getAsInt(),
                metric.get("score").getAsDouble(),
                // JMH writes what is not a number as the string "NaN".
                metric.get("scoreError").getAsDouble(),
                allocation(json));
    }

    private static String parameters(JsonObject json) {
        if (!json.has("params")) {
            return "";
        }
        Map<String, String> parameters = new TreeMap<>();
        json.getAsJsonObject("params").asMap().forEach((key, value) -> parameters.put(key, value.getAsString()));
        return " " + parameters;
    }

    private static double allocation(JsonObject json) {
        JsonObject metrics = json.getAsJsonObject("secondaryMetrics");
        return metrics.has(ALLOCATION)
                ? metrics.getAsJsonObject(ALLOCATION).get("score").getAsDouble()
                : Double.NaN;
    }
}

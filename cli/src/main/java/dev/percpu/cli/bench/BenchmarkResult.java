package dev.percpu.cli.bench;

import com.google.gson.JsonObject;
import java.util.Map;
import java.util.TreeMap;

/**
 * What JMH measured for one benchmark method.
 *
 * @param comparison what it is compared within: the class, by its simple name, and the parameters if it has any
 * @param method the method's name
 * @param threads how many threads ran it at a time
 * @param nanos its time per operation, in nanoseconds
 * @param error half the width of the confidence interval of that; NaN if there were too few measurements for one
 * @param allocatedBytes how much it allocated per operation; NaN if that was not measured
 */
record BenchmarkResult(
        String comparison, String method, int threads, double nanos, double error, double allocatedBytes) {

    private static final String UNIT = "ns/op";
    private static final String ALLOCATION = "gc.alloc.rate.norm";

    /** Whether it measures per-CPU variables: by convention its name tells. */
    boolean isOurs() {
        return method.startsWith("perCpu");
    }

    /** Whether it measures C code, which is the floor for the others and no peer of theirs. */
    boolean isC() {
        return method.length() > 1 && method.charAt(0) == 'c' && Character.isUpperCase(method.charAt(1));
    }

    /** Whether it measures what there is without per-CPU variables. */
    boolean isPeer() {
        return !isOurs() && !isC();
    }

    /**
     * Reads an element of the array that JMH writes.
     *
     * @throws IllegalArgumentException if it is not in nanoseconds per operation
     */
    static BenchmarkResult of(JsonObject json) {
        String name = json.get("benchmark").getAsString();
        JsonObject metric = json.getAsJsonObject("primaryMetric");
        String unit = metric.get("scoreUnit").getAsString();
        if (!unit.equals(UNIT)) {
            throw new IllegalArgumentException(name + " was measured in " + unit + ", not in " + UNIT);
        }
        int method = name.lastIndexOf('.') + 1;
        int simpleName = name.lastIndexOf('.', method - 2) + 1;
        return new BenchmarkResult(
                name.substring(simpleName, method - 1) + parameters(json),
                name.substring(method),
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

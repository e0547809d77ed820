package dev.percpu.cli.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoubleUnaryOperator;

/**
 * What was measured for one benchmark method in one arrangement.
 *
 * @param run where and when
 * @param comparison what it is compared within: the class's simple name, with task and parameters if there are any
 * @param method the method's name
 * @param label what it measures, for people
 * @param kind what it is in the comparison
 * @param arrangement by which threads
 * @param nanos its time per operation in nanoseconds, the median of the forks; with more threads than CPUs the time
 *     that a CPU spends on it
 * @param least the least that a fork measured; or an iteration, if there was only one fork
 * @param greatest the greatest, likewise
 * @param jvms how many forks
 * @param trend whether in most forks the first two iterations all took longer than the last two, or all less long, by
 *     more than a tenth
 * @param allocatedBytes how much it allocated per operation; NaN if that was not measured
 */
record BenchmarkResult(
        Run run,
        String comparison,
        String method,
        String label,
        Roles.Kind kind,
        Arrangement arrangement,
        double nanos,
        double least,
        double greatest,
        int jvms,
        boolean trend,
        double allocatedBytes) {

    private static final double TREND = 1.1;

    /** The member that is added to what JMH writes. */
    private static final String ADDED = "percpu";

    private static final String TIME = "ns/op";
    private static final String THROUGHPUT = "ops/ns";
    private static final String ALLOCATION = "gc.alloc.rate.norm";

    /** Adds to an element of the array that JMH writes what {@link #of} needs besides. */
    static void complete(JsonObject json, Run run, Arrangement arrangement, Roles roles) {
        Roles.Role role = roles.of(benchmark(json));
        JsonObject added = run.toJson();
        added.addProperty("virtual", arrangement.virtual());
        added.addProperty("role", role.kind(arrangement).name());
        added.addProperty("task", role.task());
        added.addProperty("label", role.label());
        json.add(ADDED, added);
    }

    /** The name of an element's benchmark, with its class. */
    static String benchmark(JsonObject json) {
        return json.get("benchmark").getAsString();
    }

    /**
     * Reads a completed element.
     *
     * @throws IllegalArgumentException if it is not in nanoseconds per operation
     */
    static BenchmarkResult of(JsonObject json) {
        String name = benchmark(json);
        JsonObject metric = json.getAsJsonObject("primaryMetric");
        JsonObject added = json.getAsJsonObject(ADDED);
        int method = name.lastIndexOf('.') + 1;
        int simpleName = name.lastIndexOf('.', method - 2) + 1;
        String task = added.get("task").getAsString();
        JsonArray rawData = metric.getAsJsonArray("rawData");
        Run run = Run.of(added);
        int threads = json.get("threads").getAsInt();
        String unit = metric.get("scoreUnit").getAsString();
        double[] forks = forks(rawData, time(unit, Math.min(threads, run.cpus())));
        return new BenchmarkResult(
                run,
                name.substring(simpleName, method - 1) + (task.isEmpty() ? "" : ", " + task) + parameters(json),
                name.substring(method),
                added.get("label").getAsString(),
                Roles.Kind.valueOf(added.get("role").getAsString()),
                new Arrangement(threads, added.get("virtual").getAsBoolean()),
                median(forks),
                forks[0],
                forks[forks.length - 1],
                rawData.size(),
                rawData.asList().stream().filter(BenchmarkResult::hasTrend).count() * 2 > rawData.size(),
                allocation(json));
    }

    /** Which of two results that are in one list stand for the same: the later one replaces the other. */
    String identity() {
        return String.join(
                "\t", comparison, method, arrangement.label(), run.backend().toString(), run.processor());
    }

    /** What a floor must have in common with other results to stand beside them. */
    List<Object> conditions() {
        return List.of(run, arrangement);
    }

    /** Whether it is of a class's method, such as {@code AddBenchmark.longAdder}, whatever its task and parameters. */
    boolean isOf(String benchmark) {
        return benchmark.equals(simpleClassName() + "." + method);
    }

    /** What it measures, where rows of several comparisons stand together. */
    String labelInComparison() {
        return label + "; `" + comparison + "`";
    }

    /** The benchmark's class. */
    String simpleClassName() {
        return comparison.split("[, ]", 2)[0];
    }

    /** How wide the measurements are, relative to their median. */
    double spread() {
        return (greatest - least) / nanos;
    }

    private static String parameters(JsonObject json) {
        if (!json.has("params")) {
            return "";
        }
        Map<String, String> parameters = new TreeMap<>();
        json.getAsJsonObject("params").asMap().forEach((key, value) -> parameters.put(key, value.getAsString()));
        return " " + parameters;
    }

    /**
     * The median of each fork's iterations, or if there is but one fork each of its iterations; sorted. An average
     * would move with a single iteration that was disturbed.
     */
    private static double[] forks(JsonArray rawData, DoubleUnaryOperator time) {
        return rawData.size() == 1
                ? sorted(rawData.get(0), time)
                : rawData.asList().stream()
                        .mapToDouble(fork -> median(sorted(fork, time)))
                        .sorted()
                        .toArray();
    }

    /** Whether a fork's iterations become slower or faster, rather than vary. */
    private static boolean hasTrend(JsonElement fork) {
        JsonArray iterations = fork.getAsJsonArray();
        int end = iterations.size();
        if (end < 4) {
            return false;
        }
        double one = iterations.get(0).getAsDouble();
        double two = iterations.get(1).getAsDouble();
        double secondToLast = iterations.get(end - 2).getAsDouble();
        double last = iterations.get(end - 1).getAsDouble();
        return Math.min(one, two) > TREND * Math.max(secondToLast, last)
                || Math.max(one, two) * TREND < Math.min(secondToLast, last);
    }

    private static double[] sorted(JsonElement array, DoubleUnaryOperator time) {
        return array.getAsJsonArray().asList().stream()
                .mapToDouble(JsonElement::getAsDouble)
                .map(time)
                .sorted()
                .toArray();
    }

    /**
     * What makes nanoseconds of a measurement: it was made in them, or it is what all threads did in one.
     *
     * @param running how many threads run at a time
     */
    private static DoubleUnaryOperator time(String unit, int running) {
        return switch (unit) {
            case TIME -> nanos -> nanos;
            case THROUGHPUT -> throughput -> running / throughput;
            default ->
                throw new IllegalArgumentException(
                        "what was measured is in " + unit + ", not in " + TIME + " or " + THROUGHPUT);
        };
    }

    private static double median(double[] sorted) {
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static double allocation(JsonObject json) {
        JsonObject metrics = json.getAsJsonObject("secondaryMetrics");
        return metrics.has(ALLOCATION)
                ? metrics.getAsJsonObject(ALLOCATION).get("score").getAsDouble()
                : Double.NaN;
    }
}

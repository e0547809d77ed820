package dev.percpu.cli.bench;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.percpu.cli.output.CliException;
import dev.percpu.cli.output.Messages;
import dev.percpu.cli.output.TextFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Results, in JMH's own format with one member added to each: where and when it was measured, and its role. So a file
 * of them can be read by whatever reads JMH's.
 */
public final class Results {
    private static final String SUFFIX = ".json";

    /** Members of JMH's that are long, and say what others say too. */
    private static final List<String> LEFT_OUT =
            List.of("jvm", "jvmArgs", "vmName", "vmVersion", "warmupBatchSize", "measurementBatchSize");

    private static final List<String> LEFT_OUT_OF_METRIC = List.of("scorePercentiles");

    private final List<JsonObject> entries = new ArrayList<>();

    /** Adds what JMH wrote. */
    public void add(JsonArray measured, Run run, Arrangement arrangement, Roles roles) {
        for (JsonElement element : measured) {
            JsonObject entry = element.getAsJsonObject();
            BenchmarkResult.complete(entry, run, arrangement, roles);
            entries.add(shortened(entry));
        }
    }

    /** Whether there are none. */
    public boolean isEmpty() {
        return entries.isEmpty();
    }

    /** The file of a processor's results in a directory. */
    public static Path file(Path directory, String processor) {
        return directory.resolve(Processor.fileName(processor) + SUFFIX);
    }

    /** Reads a file. */
    public static Results read(Path file) {
        Results results = new Results();
        try {
            for (JsonElement element :
                    JsonParser.parseString(TextFiles.read(file)).getAsJsonArray()) {
                results.entries.add(element.getAsJsonObject());
            }
        } catch (JsonParseException | IllegalStateException e) {
            throw new CliException(Messages.printable(file) + " holds no JSON array: " + e.getMessage(), e);
        }
        return results;
    }

    /** Reads all files of a directory. */
    public static Results readAll(Path directory) {
        Results all = new Results();
        try (Stream<Path> files = Files.list(directory)) {
            files.filter(file -> file.toString().endsWith(SUFFIX))
                    .sorted()
                    .forEach(file -> all.entries.addAll(read(file).entries));
        } catch (IOException e) {
            throw TextFiles.unreadable(directory, e);
        }
        return all;
    }

    /** Writes a file, with one line for each result. */
    public void write(Path file) {
        Gson gson = new Gson();
        String lines = entries.stream().map(gson::toJson).collect(Collectors.joining(",\n", "[\n", "\n]\n"));
        TextFiles.write(file, lines);
    }

    /**
     * These results, and older ones that were not measured again. Each keeps its own day and commit. Those of
     * benchmarks that no longer exist are left out. A common floor replaces none of another run: it stays as long as
     * something else of its run does.
     */
    public Results over(Results older, Roles roles) {
        Results all = new Results();
        older.entries.stream()
                .filter(entry -> roles.exists(BenchmarkResult.benchmark(entry)))
                .forEach(all.entries::add);
        all.entries.addAll(entries);
        Set<String> common = all.commonFloors();
        Map<String, JsonObject> merged = new TreeMap<>();
        Map<List<Object>, JsonObject> floors = new LinkedHashMap<>();
        for (JsonObject entry : all.entries) {
            BenchmarkResult result = BenchmarkResult.of(entry);
            if (common.contains(result.comparison())) {
                floors.put(List.of(result.identity(), result.conditions()), entry);
            } else {
                merged.put(result.identity(), entry);
            }
        }
        Results results = new Results();
        results.entries.addAll(merged.values());
        Set<List<Object>> measured =
                results.list().stream().map(BenchmarkResult::conditions).collect(Collectors.toSet());
        floors.values().stream()
                .filter(floor -> measured.contains(BenchmarkResult.of(floor).conditions()))
                .forEach(results.entries::add);
        return results;
    }

    /** The comparisons that have nothing but floors. */
    private Set<String> commonFloors() {
        List<BenchmarkResult> list = list();
        Set<String> names = list.stream().map(BenchmarkResult::comparison).collect(Collectors.toSet());
        list.stream()
                .filter(result -> result.kind() != Roles.Kind.FLOOR)
                .map(BenchmarkResult::comparison)
                .forEach(names::remove);
        return names;
    }

    /** Whether all were measured with so many CPUs. */
    public boolean areOf(int cpus) {
        return list().stream().allMatch(result -> result.run().cpus() == cpus);
    }

    /** Those that were measured with a back end. */
    public Results of(BackEnd backEnd) {
        Results those = new Results();
        entries.stream()
                .filter(entry -> BenchmarkResult.of(entry).run().backend() == backEnd)
                .forEach(those.entries::add);
        return those;
    }

    /**
     * The comparisons, by name, each with its results. One that has nothing but floors is none: its floors are those of
     * what was measured in the same run and arrangement. A floor of another run would tell how much the machine was
     * disturbed at another time. A comparison that was measured in several runs has the floors of the newest one.
     */
    SortedMap<String, List<BenchmarkResult>> comparisons() {
        SortedMap<String, List<BenchmarkResult>> comparisons = list().stream()
                .collect(Collectors.groupingBy(BenchmarkResult::comparison, TreeMap::new, Collectors.toList()));
        List<BenchmarkResult> common = new ArrayList<>();
        for (String floors : commonFloors()) {
            common.addAll(comparisons.remove(floors));
        }
        comparisons.values().forEach(list -> {
            Set<List<Object>> conditions =
                    list.stream().map(BenchmarkResult::conditions).collect(Collectors.toSet());
            Map<String, BenchmarkResult> floors = new LinkedHashMap<>();
            common.stream()
                    .filter(floor -> conditions.contains(floor.conditions()))
                    .forEach(floor -> floors.put(floor.identity(), floor));
            list.addAll(floors.values());
        });
        return comparisons;
    }

    List<BenchmarkResult> list() {
        return entries.stream().map(BenchmarkResult::of).toList();
    }

    private static JsonObject shortened(JsonObject entry) {
        LEFT_OUT.forEach(entry::remove);
        shorten(entry.getAsJsonObject("primaryMetric"));
        JsonObject kept = new JsonObject();
        entry.getAsJsonObject("secondaryMetrics").asMap().forEach((name, metric) -> {
            if (name.equals("gc.alloc.rate.norm")) {
                shorten(metric.getAsJsonObject());
                metric.getAsJsonObject().remove("rawData");
                kept.add(name, metric);
            }
        });
        entry.add("secondaryMetrics", kept);
        return entry;
    }

    private static void shorten(JsonObject metric) {
        LEFT_OUT_OF_METRIC.forEach(metric::remove);
    }
}

package dev.percpu.cli.bench;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.percpu.cli.bench.Roles.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The results as one page of HTML that needs nothing else: a chart for each comparison and processor, of time per
 * operation against the arrangement, drawn by Chart.js, which is part of the page.
 */
public final class Page {
    private static final String TEMPLATE = "page.html";
    private static final String CHARTS = "chart.umd.min.js";

    private final Results results;
    private final Curves curves;
    private final String command;

    /**
     * Takes what is to be shown.
     *
     * @param command what made it, for the reader
     */
    public Page(Results results, Curves curves, String command) {
        this.results = results;
        this.curves = curves;
        this.command = command;
    }

    /** The page's text. */
    public String html() {
        // No script in the page ends early: "<" in the data is written as an escape by Gson.
        return resource(TEMPLATE)
                .replace("/*data*/", "const data = " + new Gson().toJson(data()) + ";")
                .replace("/*charts*/", resource(CHARTS));
    }

    private JsonObject data() {
        JsonObject data = new JsonObject();
        data.addProperty("command", command);
        JsonArray runs = new JsonArray();
        Stream.concat(results.list().stream().map(BenchmarkResult::run), curves.runs())
                .distinct()
                .forEach(run -> runs.add(run.toJson()));
        data.add("runs", runs);
        JsonArray comparisons = new JsonArray();
        // A comparison's charts of all processors stand side by side.
        results.comparisons()
                .forEach((name, list) -> list.stream()
                        .collect(Collectors.groupingBy(
                                result -> result.run().processor(), TreeMap::new, Collectors.toList()))
                        .forEach((processor, there) -> comparisons.add(comparison(name, processor, there))));
        data.add("comparisons", comparisons);
        data.add("curves", curves());
        return data;
    }

    private JsonArray curves() {
        JsonArray charts = new JsonArray();
        for (List<Curve> chart : curves.charts()) {
            if (chart.getFirst().unit().isEmpty()) {
                // A program's throughput and latencies have no axis in common.
                continue;
            }
            JsonArray lines = new JsonArray();
            for (Curve curve : chart) {
                JsonObject line = curve.toChart();
                line.addProperty("label", plain(curve.label()));
                lines.add(line);
            }
            charts.add(lines);
        }
        return charts;
    }

    /** A label without the marks of a page in Markdown. */
    private static String plain(String label) {
        return label.replace("`", "");
    }

    private static JsonObject comparison(String name, String processor, List<BenchmarkResult> list) {
        JsonObject comparison = new JsonObject();
        comparison.addProperty("name", name);
        comparison.addProperty("processor", processor);
        List<Arrangement> arrangements = List.copyOf(Report.arrangements(list));
        JsonArray labels = new JsonArray();
        arrangements.forEach(arrangement -> labels.add(arrangement.description()));
        comparison.add("arrangements", labels);
        JsonArray series = new JsonArray();
        // What is a peer in one arrangement can be no peer in another: that is a series of its own.
        Map<List<Object>, List<BenchmarkResult>> bySeries = list.stream()
                .sorted(Comparator.comparing(result -> result.run().backend()))
                .collect(Collectors.groupingBy(
                        result -> List.of(label(result), result.kind()), LinkedHashMap::new, Collectors.toList()));
        bySeries.values().forEach(row -> series.add(series(row, arrangements)));
        comparison.add("series", series);
        return comparison;
    }

    private static String label(BenchmarkResult result) {
        return result.label()
                + (result.run().backend() == BackEnd.RSEQ || result.kind() != Kind.OURS
                        ? ""
                        : ", " + result.run().backend());
    }

    private static JsonObject series(List<BenchmarkResult> row, List<Arrangement> arrangements) {
        JsonObject series = new JsonObject();
        series.addProperty("label", plain(label(row.getFirst())));
        series.addProperty("role", row.getFirst().kind().name());
        series.addProperty("backEnd", row.getFirst().run().backend().toString());
        JsonArray points = new JsonArray();
        for (Arrangement arrangement : arrangements) {
            JsonObject point = new JsonObject();
            row.stream()
                    .filter(result -> result.arrangement().equals(arrangement))
                    .findFirst()
                    .ifPresent(result -> {
                        point.addProperty("nanos", result.nanos());
                        point.addProperty("least", result.least());
                        point.addProperty("greatest", result.greatest());
                        point.addProperty("jvms", result.jvms());
                    });
            points.add(point);
        }
        series.add("points", points);
        return series;
    }

    private static String resource(String name) {
        try (InputStream stream = Page.class.getResourceAsStream(name)) {
            if (stream == null) {
                throw new IllegalStateException("the resource " + name + " is missing from this build");
            }
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package dev.percpu.cli.bench;

import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.percpu.cli.output.CliException;
import dev.percpu.cli.output.Messages;
import dev.percpu.cli.output.TextFiles;
import dev.percpu.cli.output.TextTable;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * All curves: of memory, of many threads, of the start-up, and of whole programs. Those of all processors are kept in
 * one file, a JSON object in each line.
 */
public final class Curves {
    private static final String FILE = "curves.jsonl";

    private final List<Curve> list;

    private Curves(List<Curve> list) {
        this.list = list;
    }

    /** No curves. */
    public static Curves none() {
        return new Curves(List.of());
    }

    /** Takes what the benchmarks' jar printed. */
    static Curves parse(List<String> lines, Run run) {
        return new Curves(lines.stream().map(line -> Curve.parse(line, run)).toList());
    }

    /** Reads what is kept in a directory; nothing if there is no such file. */
    public static Curves read(Path directory) {
        Path file = directory.resolve(FILE);
        try {
            String lines = Files.exists(file) ? TextFiles.read(file) : "";
            return new Curves(lines.lines()
                    .map(line -> Curve.of(JsonParser.parseString(line).getAsJsonObject()))
                    .toList());
        } catch (JsonParseException | IllegalStateException e) {
            throw new CliException(Messages.printable(file) + " holds a line that is no curve: " + e.getMessage(), e);
        }
    }

    /**
     * Keeps these in a directory, in place of all curves of the same charts: a chart is measured as a whole, so what
     * it no longer has does not exist any more.
     */
    public void keep(Path directory) {
        Set<List<Object>> measured = list.stream().map(Curves::chart).collect(Collectors.toSet());
        List<Curve> merged = Stream.concat(
                        read(directory).list.stream().filter(curve -> !measured.contains(chart(curve))), list.stream())
                .toList();
        TextFiles.write(
                directory.resolve(FILE),
                merged.stream().map(curve -> curve.toJson() + "\n").collect(Collectors.joining()));
    }

    /** Whether there are none. */
    public boolean isEmpty() {
        return list.isEmpty();
    }

    /** Where and when each was measured. */
    Stream<Run> runs() {
        return list.stream().map(Curve::run);
    }

    /** The curves of each chart; a chart has those of one processor and back end. Those of one title are in a row. */
    List<List<Curve>> charts() {
        List<String> titles = list.stream().map(Curve::chart).distinct().toList();
        Map<List<Object>, List<Curve>> charts = list.stream()
                .sorted(Comparator.comparingInt((Curve curve) -> titles.indexOf(curve.chart()))
                        .thenComparing(curve -> curve.run().processor())
                        .thenComparing(curve -> curve.run().backend()))
                .collect(Collectors.groupingBy(Curves::chart, LinkedHashMap::new, Collectors.toList()));
        return List.copyOf(charts.values());
    }

    /** What the curves of one chart have in common. */
    private static List<Object> chart(Curve curve) {
        return List.of(curve.chart(), curve.run().processor(), curve.run().backend());
    }

    /** What was measured with sequences on a processor, at one point of a chart; of its first curve. */
    Optional<Curve.Value> value(String chart, String processor, String point) {
        return list.stream()
                .filter(curve -> chart(curve).equals(List.of(chart, processor, BackEnd.RSEQ)))
                .findFirst()
                .map(curve -> curve.values().get(point));
    }

    /** Prints a table for each chart. */
    public void print(PrintWriter out) {
        for (List<Curve> chart : charts()) {
            Curve first = chart.getFirst();
            List<String> points = points(chart);
            TextTable table = new TextTable(row(first.chart() + first.title(), points));
            chart.forEach(curve -> table.add(row("  " + curve.label(), curve.cells(points))));
            table.print(out);
            out.println();
        }
    }

    private static String[] row(String first, List<String> more) {
        return Stream.concat(Stream.of(first), more.stream()).toArray(String[]::new);
    }

    /** The rows of a chart as a table in a page, for each processor; or which command measures it. */
    String table(String title) {
        String tables = charts().stream()
                .filter(chart -> chart.getFirst().chart().equals(title)
                        && chart.getFirst().run().backend() == BackEnd.RSEQ)
                .map(Curves::table)
                .collect(Collectors.joining("\n"));
        return tables.isEmpty() ? Tables.notMeasured("--curves=\"" + title + "\"") : tables;
    }

    private static String table(List<Curve> chart) {
        Curve first = chart.getFirst();
        List<String> points = points(chart);
        List<List<String>> rows =
                chart.stream().map(curve -> tableRow(curve, points)).toList();
        return Tables.table(first.run().processor() + first.title(), points, rows) + "\n*Measured "
                + Run.when(chart.stream().map(Curve::run).toList()) + ".*\n";
    }

    private static List<String> tableRow(Curve curve, List<String> points) {
        String emphasis = Tables.emphasis(curve.kind());
        return Stream.concat(
                        Stream.of(emphasis + curve.label() + emphasis + Tables.remark(curve.kind())),
                        curve.cells(points).stream().map(cell -> emphasis + cell + emphasis))
                .toList();
    }

    private static List<String> points(List<Curve> chart) {
        return List.copyOf(chart.getFirst().values().sequencedKeySet());
    }
}

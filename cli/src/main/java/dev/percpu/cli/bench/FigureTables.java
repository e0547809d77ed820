package dev.percpu.cli.bench;

import dev.percpu.cli.bench.Roles.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The tables of one comparison: of sequences, with a column for each processor; below it, of ours alone, with a column
 * for each processor and each other back end; or for each processor with a column for each arrangement. Below each
 * table stands how its figures were measured.
 */
final class FigureTables {
    private static final String UNIT = "ns per operation";
    private static final String NOT_MEASURED = "–";

    /** At a figure from fewer JVMs than most of its column. */
    private static final String FEWER = "¹";

    private static final List<Kind> ORDER = List.of(Kind.OURS, Kind.FLOOR, Kind.PEER, Kind.NOT_COMPARABLE);

    private final List<BenchmarkResult> list;

    /** Takes the results of one comparison. */
    FigureTables(List<BenchmarkResult> list) {
        this.list = list;
    }

    /** The main table: what sequences cost, and what else there is. */
    String sequences() {
        return byProcessor(UNIT, result -> result.run().backend() == BackEnd.RSEQ, Run::processor);
    }

    /** The main table, and what ours costs on the other back ends. */
    String allBackEnds() {
        String others = byProcessor(
                "without sequences, " + UNIT,
                result -> result.run().backend() != BackEnd.RSEQ && result.kind() == Kind.OURS,
                run -> run.processor() + ", " + run.backend());
        return Stream.of(sequences(), others).filter(table -> !table.isEmpty()).collect(Collectors.joining("\n"));
    }

    /**
     * A table for each processor on which more was measured than what the main table has.
     *
     * <p>A cell has the median, or the range alone if that is wider than the median.
     *
     * @return nothing if there is no such processor
     */
    String byThreads() {
        return columns(result -> result.run().backend() == BackEnd.RSEQ, Run::processor).entrySet().stream()
                .filter(column -> column.getValue().stream()
                        .anyMatch(result ->
                                !result.arrangement().isFewest(result.run().cpus())))
                .map(column -> byThreads(column.getKey(), column.getValue()))
                .collect(Collectors.joining("\n"));
    }

    private static String byThreads(String processor, List<BenchmarkResult> measured) {
        Map<String, List<BenchmarkResult>> columns = new LinkedHashMap<>();
        Report.arrangements(measured)
                .forEach(arrangement -> columns.put(arrangement.label(), Report.of(arrangement, measured)));
        return table(
                processor + ", " + UNIT + "; threads:", columns, Map.of(processor, measured), FigureTables::briefTime);
    }

    private String byProcessor(String title, Predicate<BenchmarkResult> which, Function<Run, String> name) {
        Map<String, List<BenchmarkResult>> columns = columns(
                which.and(result -> result.arrangement().isFewest(result.run().cpus())), name);
        if (columns.isEmpty()) {
            return "";
        }
        List<String> threads = columns.values().stream()
                .flatMap(List::stream)
                .map(result -> threads(result.run().cpus()))
                .distinct()
                .toList();
        if (threads.size() == 1) {
            return table(title + ", " + threads.getFirst(), columns, columns, FigureTables::time);
        }
        // The machines have different numbers of CPUs.
        Map<String, List<BenchmarkResult>> detailed = new LinkedHashMap<>();
        columns.forEach((column, measured) ->
                detailed.put(column + ", " + threads(measured.getFirst().run().cpus()), measured));
        return table(title, detailed, columns, FigureTables::time);
    }

    static String threads(int cpus) {
        return cpus == 1 ? "1 thread" : "1 / " + cpus + " threads";
    }

    private Map<String, List<BenchmarkResult>> columns(Predicate<BenchmarkResult> which, Function<Run, String> name) {
        return list.stream()
                .filter(which)
                .sorted(Comparator.comparing(
                                (BenchmarkResult result) -> result.run().processor())
                        .thenComparing(result -> result.run().backend()))
                .collect(Collectors.groupingBy(
                        result -> name.apply(result.run()), LinkedHashMap::new, Collectors.toList()));
    }

    /**
     * A table, and how it was measured.
     *
     * @param sources what the line below it tells apart
     * @param time what a cell tells of a result
     */
    private static String table(
            String title,
            Map<String, List<BenchmarkResult>> columns,
            Map<String, List<BenchmarkResult>> sources,
            Function<BenchmarkResult, String> time) {
        Set<BenchmarkResult> fewer = sources.values().stream()
                .flatMap(source -> source.stream().filter(result -> result.jvms() < greatestNumberOfJvms(source)))
                .collect(Collectors.toSet());
        Function<BenchmarkResult, String> markedTime =
                result -> time.apply(result) + (fewer.contains(result) ? FEWER : "");
        List<List<String>> rows = new ArrayList<>();
        labels(columns.values()).forEach((label, kind) -> {
            String emphasis = Tables.emphasis(kind);
            List<String> row = new ArrayList<>(List.of(emphasis + label + emphasis + Tables.remark(kind)));
            for (List<BenchmarkResult> column : columns.values()) {
                String cell = cell(label, kind, column, markedTime);
                row.add(cell.isEmpty() ? "" : emphasis + cell + emphasis);
            }
            rows.add(row);
        });
        return Tables.table(title, columns.keySet(), rows) + "\n" + howMeasured(sources) + "\n";
    }

    /** What there is a row for: ours, floors, peers, the rest; of a kind, the fastest of the first column first. */
    private static Map<String, Kind> labels(Iterable<List<BenchmarkResult>> columns) {
        Map<String, Kind> labels = new LinkedHashMap<>();
        for (Kind kind : ORDER) {
            for (List<BenchmarkResult> column : columns) {
                column.stream()
                        .filter(result -> result.kind() == kind)
                        .sorted(Comparator.comparing(BenchmarkResult::arrangement)
                                .thenComparingDouble(BenchmarkResult::nanos))
                        .forEach(result -> labels.putIfAbsent(result.label(), kind));
            }
        }
        return labels;
    }

    /**
     * The times of all arrangements that the column has, with a dash for what was not measured; or nothing. What has
     * another role in some arrangement does something else there, so its time is none of this row's.
     */
    private static String cell(
            String label, Kind kind, List<BenchmarkResult> column, Function<BenchmarkResult, String> time) {
        Map<Arrangement, String> times = column.stream()
                .filter(result -> result.label().equals(label) && result.kind() == kind)
                .collect(Collectors.toMap(BenchmarkResult::arrangement, time));
        return times.isEmpty()
                ? ""
                : Report.arrangements(column).stream()
                        .map(arrangement -> times.getOrDefault(arrangement, NOT_MEASURED))
                        .collect(Collectors.joining(" / "));
    }

    private static String time(BenchmarkResult result) {
        return Tables.spread(result.nanos(), result.least(), result.greatest());
    }

    /** The median, or the range alone if it is wider. */
    private static String briefTime(BenchmarkResult result) {
        return result.spread() > 1 ? time(result) : Tables.digits(result.nanos());
    }

    /** Such as {@code *AMD Zen 5: in 3 JVMs each, 2026-11-26, commit 1234567.*}; without the names if all are alike. */
    private static String howMeasured(Map<String, List<BenchmarkResult>> sources) {
        Set<String> different =
                sources.values().stream().map(FigureTables::howMeasured).collect(Collectors.toSet());
        return different.size() == 1
                ? "*Measured " + different.iterator().next() + ".*"
                : sources.entrySet().stream()
                        .map(source -> source.getKey() + ": " + howMeasured(source.getValue()) + ".")
                        .collect(Collectors.joining("\n", "*", "*"));
    }

    private static String howMeasured(List<BenchmarkResult> source) {
        int most = greatestNumberOfJvms(source);
        int least = source.stream().mapToInt(BenchmarkResult::jvms).min().orElseThrow();
        return "in " + most + (most == 1 ? " JVM" : " JVMs") + " each"
                + (least == most ? "" : ", fewer where marked " + FEWER) + ", "
                + Run.when(source.stream().map(BenchmarkResult::run).toList());
    }

    private static int greatestNumberOfJvms(List<BenchmarkResult> source) {
        return source.stream().mapToInt(BenchmarkResult::jvms).max().orElseThrow();
    }
}

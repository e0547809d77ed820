package dev.percpu.cli.bench;

import dev.percpu.cli.CliException;
import dev.percpu.cli.Messages;
import dev.percpu.cli.bench.Roles.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Writes the tables of figures in the documentation from saved results, so that nobody types a figure. A table stands
 * between two comments:
 *
 * <pre>
 * &lt;!-- figures: CounterBenchmark, increment --&gt;
 * &lt;!-- end of figures --&gt;
 * </pre>
 *
 * <p>It has a row for each benchmark of that comparison and a column for each processor, and each back end of ours.
 * A cell has the times of a thread alone and of one for each CPU. With {@code figures by threads:} there is a column
 * for each arrangement instead. With {@code curves:} and a chart's title it has that chart's values.
 */
public final class Tables {
    private static final Pattern TABLE = Pattern.compile(
            "(<!-- (?<kind>figures|figures by threads|curves): (?<name>[^>]+?) -->\n).*?(<!-- end of figures -->)",
            Pattern.DOTALL);

    /** Below this, a spread is not worth telling. */
    private static final double NARROW = 0.1;

    private static final String NOT_MEASURED = "–";

    private final Results results;
    private final Curves curves;

    /** Takes what the tables are made of. */
    public Tables(Results results, Curves curves) {
        this.results = results;
        this.curves = curves;
    }

    /** The pages that can have tables: the README and those in docs. */
    public static List<Path> pages(Path home) {
        try (Stream<Path> docs = Files.list(home.resolve("docs"))) {
            return Stream.concat(
                            Stream.of(home.resolve("README.md")),
                            docs.filter(file -> file.toString().endsWith(".md")).sorted())
                    .toList();
        } catch (IOException e) {
            throw new CliException(Messages.printable(home) + " has no pages: " + Messages.reason(e), e);
        }
    }

    /**
     * The text of a page with its tables made anew.
     *
     * @throws CliException if a table is of a comparison without results
     */
    public String renew(String page) {
        return TABLE.matcher(page)
                .replaceAll(found -> Matcher.quoteReplacement(
                        found.group(1) + "\n" + table(found) + "\n" + found.group(found.groupCount())));
    }

    private String table(MatchResult found) {
        String comparison = found.group("name");
        if (found.group("kind").equals("curves")) {
            return curves.table(comparison);
        }
        List<BenchmarkResult> list = results.comparisons().get(comparison);
        if (list == null) {
            throw new CliException("a table is of \"" + comparison + "\", of which there are no saved results: save"
                    + " some with ./percpu bench --save, or correct the name; there are "
                    + String.join("; ", results.comparisons().keySet()));
        }
        return found.group("kind").equals("figures") ? byProcessor(list) : byThreads(list);
    }

    private static String byProcessor(List<BenchmarkResult> list) {
        Map<String, List<BenchmarkResult>> columns = list.stream()
                .filter(Tables::isInAColumn)
                .sorted(Comparator.comparing(
                                (BenchmarkResult result) -> result.run().processor())
                        .thenComparing(result -> result.run().backend()))
                .collect(Collectors.groupingBy(Tables::column, LinkedHashMap::new, Collectors.toList()));
        return rows(list, columns);
    }

    /** A platform thread alone, or one for each CPU; and without sequences only what they make a difference to. */
    private static boolean isInAColumn(BenchmarkResult result) {
        Arrangement arrangement = result.arrangement();
        return !arrangement.virtual()
                && (arrangement.threads() == 1
                        || arrangement.threads() == result.run().cpus())
                && (result.run().backend() == BackEnd.RSEQ || result.kind() == Kind.OURS);
    }

    private static String column(BenchmarkResult result) {
        Run run = result.run();
        String threads = run.cpus() == 1 ? "1 thread" : "1 / " + run.cpus() + " threads";
        return run.processor() + (run.backend() == BackEnd.RSEQ ? "" : ", " + run.backend()) + ", " + threads;
    }

    private static String byThreads(List<BenchmarkResult> list) {
        Map<String, List<BenchmarkResult>> columns = list.stream()
                .filter(result -> result.run().backend() == BackEnd.RSEQ)
                .sorted(Comparator.comparing(BenchmarkResult::arrangement))
                .collect(Collectors.groupingBy(
                        result -> result.run().processor() + ", "
                                + result.arrangement().description(),
                        LinkedHashMap::new,
                        Collectors.toList()));
        return rows(list, columns);
    }

    private static String rows(List<BenchmarkResult> list, Map<String, List<BenchmarkResult>> columns) {
        List<List<String>> table = new ArrayList<>();
        table.add(Stream.concat(Stream.of("ns per operation"), columns.keySet().stream())
                .toList());
        for (Map.Entry<String, Kind> row : labels(list).entrySet()) {
            String label = row.getKey();
            String emphasis = emphasis(row.getValue());
            table.add(Stream.concat(
                            Stream.of(emphasis + label + emphasis + remark(row.getValue())),
                            columns.values().stream().map(column -> {
                                String text = cell(label, column);
                                return text.isEmpty() ? "" : emphasis + text + emphasis;
                            }))
                    .toList());
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < table.size(); i++) {
            addRow(text, table.get(i).toArray(String[]::new));
            if (i == 0) {
                text.append("|---".repeat(table.get(0).size())).append("|\n");
            }
        }
        return text.toString();
    }

    static void addRow(StringBuilder text, String... cells) {
        text.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }

    static String emphasis(Kind kind) {
        return kind == Kind.OURS ? "**" : "";
    }

    static String remark(Kind kind) {
        return switch (kind) {
            case OURS, PEER -> "";
            case FLOOR -> " (floor)";
            case NOT_COMPARABLE -> " (not comparable)";
        };
    }

    /** What there is a row for: ours, the floors, the peers, the rest; of a kind, the fastest first. */
    private static Map<String, Kind> labels(List<BenchmarkResult> list) {
        List<Kind> order = List.of(Kind.OURS, Kind.FLOOR, Kind.PEER, Kind.NOT_COMPARABLE);
        Map<String, Kind> labels = new LinkedHashMap<>();
        list.stream()
                .sorted(Comparator.comparingInt((BenchmarkResult result) -> order.indexOf(result.kind()))
                        .thenComparingDouble(BenchmarkResult::nanos))
                .forEach(result -> labels.putIfAbsent(result.label(), result.kind()));
        return labels;
    }

    /** The times of all arrangements that the column has, with a dash for what was not measured; or nothing. */
    private static String cell(String label, List<BenchmarkResult> column) {
        Map<Arrangement, String> times = column.stream()
                .filter(result -> result.label().equals(label))
                .collect(Collectors.toMap(BenchmarkResult::arrangement, Tables::time));
        return times.isEmpty()
                ? ""
                : Report.arrangements(column).stream()
                        .map(arrangement -> times.getOrDefault(arrangement, NOT_MEASURED))
                        .collect(Collectors.joining(" / "));
    }

    private static String time(BenchmarkResult result) {
        return spread(result.nanos(), result.least(), result.greatest());
    }

    /** A median, with its range if that is worth telling; the range alone, if it is wider than the median itself. */
    static String spread(double median, double least, double greatest) {
        double width = (greatest - least) / median;
        if (width <= NARROW || digits(least).equals(digits(greatest))) {
            return digits(median);
        }
        String range = digits(least) + " to " + digits(greatest);
        return width > 1 ? "unstable: " + range : digits(median) + " (" + range + ")";
    }

    /** Three significant digits. */
    static String digits(double nanos) {
        // What would be rounded up to it counts as it.
        double three = 99.95;
        double two = 9.995;
        if (nanos >= three) {
            return String.format(Locale.ROOT, "%,d", Math.round(nanos));
        }
        return String.format(Locale.ROOT, nanos >= two ? "%.1f" : "%.2f", nanos);
    }
}

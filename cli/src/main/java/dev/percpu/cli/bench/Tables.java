package dev.percpu.cli.bench;

import dev.percpu.cli.bench.Roles.Kind;
import dev.percpu.cli.output.CliException;
import dev.percpu.cli.output.Messages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
 * <p>It has a row for each benchmark of that comparison and a column for each processor. A cell has the times of a
 * thread alone and of one for each CPU. Below it stands a table of ours on the other back ends. What else can stand in
 * place of {@code figures}:
 *
 * <ul>
 *   <li>{@code figures of sequences}: without the other back ends
 *   <li>{@code figures by threads}: of several comparisons, with semicolons in between, the tables with a column for
 *       each arrangement, where more of them were measured
 *   <li>{@code ratios}: what several comparisons say of ours and the best peer
 *   <li>{@code model}: see {@link ModelTable}
 *   <li>{@code curves}, and a chart's title: that chart's values
 * </ul>
 */
public final class Tables {
    private static final Pattern TABLE = Pattern.compile(
            "(<!-- (?<kind>figures|figures of sequences|figures by threads|ratios|model|curves): (?<name>[^>]+?) -->\n)"
                    + ".*?(<!-- end of figures -->)",
            Pattern.DOTALL);

    /** The options that measure all arrangements. */
    private static final String BY_THREADS = "--quick --main --threads all";

    /** Below this, a spread is not worth telling. */
    private static final double NARROW = 0.2;

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
     * The text of a page with its tables made anew. Where nothing of a table was measured yet, it says which
     * command does.
     */
    public String renew(String page) {
        return TABLE.matcher(page)
                .replaceAll(found -> Matcher.quoteReplacement(
                        found.group(1) + "\n" + table(found) + "\n" + found.group(found.groupCount())));
    }

    private String table(MatchResult found) {
        String name = found.group("name");
        return switch (found.group("kind")) {
            case "figures" -> figures(name, FigureTables::allBackEnds);
            case "figures of sequences" -> figures(name, FigureTables::sequences);
            case "figures by threads" -> byThreads(name);
            case "ratios" -> new RatioTable(named(name)).text();
            case "model" -> new ModelTable(name, results.list(), curves).text();
            default -> curves.table(name);
        };
    }

    /** The tables of several comparisons, each below its name. */
    private String byThreads(String names) {
        StringBuilder text = new StringBuilder();
        named(names).forEach((name, list) -> {
            String tables = new FigureTables(list).byThreads();
            if (!tables.isEmpty()) {
                text.append(text.isEmpty() ? "" : "\n")
                        .append("`")
                        .append(name)
                        .append("`:\n\n")
                        .append(tables);
            }
        });
        return text.isEmpty() ? notMeasured(BY_THREADS) : text.toString();
    }

    private String figures(String comparison, Function<FigureTables, String> tables) {
        List<BenchmarkResult> list = comparison(comparison);
        return list.isEmpty()
                ? notMeasured("--only " + comparison.replaceFirst("[, ].*", ""))
                : tables.apply(new FigureTables(list));
    }

    /** What stands in place of a table. */
    static String notMeasured(String options) {
        return "*Not measured yet: `./percpu bench " + options + " --save` does.*\n";
    }

    private List<BenchmarkResult> comparison(String name) {
        return results.comparisons().getOrDefault(name, List.of());
    }

    /** The comparisons of a list with semicolons in between. */
    private SequencedMap<String, List<BenchmarkResult>> named(String names) {
        SequencedMap<String, List<BenchmarkResult>> comparisons = new LinkedHashMap<>();
        for (String name : names.split(";", -1)) {
            comparisons.put(name.strip(), comparison(name.strip()));
        }
        return comparisons;
    }

    /** A table with a title above its first column, columns with names, and rows. */
    static String table(String title, Collection<String> columns, List<List<String>> rows) {
        StringBuilder text = new StringBuilder();
        addRow(text, Stream.concat(Stream.of(title), columns.stream()).toArray(String[]::new));
        text.append("|---".repeat(1 + columns.size())).append("|\n");
        rows.forEach(row -> addRow(text, row.toArray(String[]::new)));
        return text.toString();
    }

    private static void addRow(StringBuilder text, String... cells) {
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

    /** A median, with its range if that is worth telling; the range alone, if it is wider than the median itself. */
    static String spread(double median, double least, double greatest) {
        double width = (greatest - least) / median;
        if (width <= NARROW || digits(least).equals(digits(greatest))) {
            return digits(median);
        }
        String range = digits(least) + "–" + digits(greatest);
        return width > 1 ? range : digits(median) + " (" + range + ")";
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

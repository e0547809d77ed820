package dev.percpu.cli.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import dev.percpu.cli.TextTable;
import dev.percpu.cli.bench.Roles.Kind;
import java.io.PrintWriter;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Sets results side by side: for each comparison and number of threads, ours beside the best peer and the floors. */
public final class Report {
    private static final double SMALL = 0.1;

    private final List<BenchmarkResult> results;

    private Report(List<BenchmarkResult> results) {
        this.results = results;
    }

    /** Makes one of the array that JMH writes as JSON. */
    public static Report of(JsonArray results, Roles roles) {
        return new Report(results.asList().stream()
                .map(JsonElement::getAsJsonObject)
                .map(json -> BenchmarkResult.of(json, roles))
                .toList());
    }

    /** Prints a table for each comparison, fastest first for each number of threads. */
    public void print(PrintWriter out) {
        for (String comparison : sorted(BenchmarkResult::comparison)) {
            TextTable table = new TextTable(comparison, "threads", "ns/op", "±", "B/op", "best peer", "to floor");
            for (int threads : sorted(BenchmarkResult::threads)) {
                addRows(table, of(comparison, threads));
            }
            table.print(out);
            out.println();
        }
        out.println("best peer: its time divided by ours, so more than 1 is faster than the best of the peers.");
        out.println("to floor: our time divided by that of a part which cannot be left out. B/op: bytes allocated.");
    }

    /** Adds a row for each result; they are sorted, the fastest first. */
    private static void addRows(TextTable table, List<BenchmarkResult> rows) {
        for (BenchmarkResult row : rows) {
            table.add(
                    "  " + row.method(),
                    Integer.toString(row.threads()),
                    number(row.nanos()),
                    number(row.error()),
                    number(row.allocatedBytes()),
                    toPeer(row, rows),
                    row.kind() == Kind.OURS ? toFloors(row, rows) : "");
        }
    }

    private static String toPeer(BenchmarkResult row, List<BenchmarkResult> rows) {
        return switch (row.kind()) {
            case OURS ->
                ofKind(Kind.PEER, rows)
                        .findFirst()
                        .map(best -> ratio(best.nanos(), row.nanos()) + " " + best.method())
                        .orElse("none");
            case PEER -> "";
            case FLOOR -> "floor";
            case NOT_COMPARABLE -> "not comparable";
        };
    }

    private static String toFloors(BenchmarkResult row, List<BenchmarkResult> rows) {
        return ofKind(Kind.FLOOR, rows)
                .map(floor -> ratio(row.nanos(), floor.nanos()) + " " + floor.method())
                .collect(Collectors.joining(", "));
    }

    /** Fastest first, as the rows are. */
    private static Stream<BenchmarkResult> ofKind(Kind kind, List<BenchmarkResult> rows) {
        return rows.stream().filter(row -> row.kind() == kind);
    }

    private List<BenchmarkResult> of(String comparison, int threads) {
        return results.stream()
                .filter(result -> result.comparison().equals(comparison) && result.threads() == threads)
                .sorted(Comparator.comparingDouble(BenchmarkResult::nanos))
                .toList();
    }

    private <T> SortedSet<T> sorted(Function<BenchmarkResult, T> property) {
        SortedSet<T> values = new TreeSet<>();
        results.forEach(result -> values.add(property.apply(result)));
        return values;
    }

    private static String ratio(double nanos, double otherNanos) {
        double ratio = nanos / otherNanos;
        // With two decimals only, what is a thousand times slower would be "0.00x".
        return ratio < SMALL
                ? new BigDecimal(ratio).round(new MathContext(2)).toPlainString() + "x"
                : String.format(Locale.ROOT, "%.2fx", ratio);
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.2f", value);
    }
}

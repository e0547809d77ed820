package dev.percpu.cli.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import dev.percpu.cli.TextTable;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;

/** Sets results side by side: for each comparison and number of threads, ours beside the best of the peers. */
public final class Report {
    private final List<BenchmarkResult> results;

    private Report(List<BenchmarkResult> results) {
        this.results = results;
    }

    /** Makes one of the array that JMH writes as JSON. */
    public static Report of(JsonArray results) {
        return new Report(results.asList().stream()
                .map(JsonElement::getAsJsonObject)
                .map(BenchmarkResult::of)
                .toList());
    }

    /** Prints a table for each comparison, fastest first for each number of threads. */
    public void print(PrintWriter out) {
        for (String comparison : sorted(BenchmarkResult::comparison)) {
            TextTable table = new TextTable(comparison, "threads", "ns/op", "±", "B/op", "best peer", "to C");
            for (int threads : sorted(BenchmarkResult::threads)) {
                addRows(table, of(comparison, threads));
            }
            table.print(out);
            out.println();
        }
        out.println("best peer: its time divided by ours, so more than 1 is faster than the best of the others.");
        out.println("to C: our time divided by that of the same sequence inlined in C. B/op: bytes allocated.");
    }

    private static void addRows(TextTable table, List<BenchmarkResult> rows) {
        Optional<BenchmarkResult> peer = best(rows, BenchmarkResult::isPeer);
        Optional<BenchmarkResult> c = best(rows, BenchmarkResult::isC);
        for (BenchmarkResult row : rows) {
            String toPeer = "";
            String toC = "";
            if (row.isOurs()) {
                toPeer = peer.map(best -> ratio(best.nanos(), row.nanos()) + " " + best.method())
                        .orElse("none");
                toC = c.map(floor -> ratio(row.nanos(), floor.nanos())).orElse("");
            }
            table.add(
                    "  " + row.method(),
                    Integer.toString(row.threads()),
                    number(row.nanos()),
                    number(row.error()),
                    number(row.allocatedBytes()),
                    toPeer,
                    toC);
        }
    }

    private List<BenchmarkResult> of(String comparison, int threads) {
        return results.stream()
                .filter(result -> result.comparison().equals(comparison) && result.threads() == threads)
                .sorted(Comparator.comparingDouble(BenchmarkResult::nanos))
                .toList();
    }

    private static Optional<BenchmarkResult> best(List<BenchmarkResult> rows, Predicate<BenchmarkResult> which) {
        return rows.stream().filter(which).min(Comparator.comparingDouble(BenchmarkResult::nanos));
    }

    private <T> SortedSet<T> sorted(Function<BenchmarkResult, T> property) {
        SortedSet<T> values = new TreeSet<>();
        results.forEach(result -> values.add(property.apply(result)));
        return values;
    }

    private static String ratio(double nanos, double otherNanos) {
        return String.format(Locale.ROOT, "%.2fx", nanos / otherNanos);
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.2f", value);
    }
}

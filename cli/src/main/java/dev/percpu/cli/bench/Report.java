package dev.percpu.cli.bench;

import dev.percpu.cli.bench.Roles.Kind;
import dev.percpu.cli.output.TextTable;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Sets the results of one run side by side: for each comparison and arrangement, ours beside the best peer. */
public final class Report {
    private static final double PERCENT = 100;

    private final Results results;

    public Report(Results results) {
        this.results = results;
    }

    /** Prints a table for each comparison, fastest first for each arrangement. */
    public void print(PrintWriter out) {
        results.comparisons().forEach((comparison, list) -> {
            TextTable table = new TextTable(comparison, "threads", "ns/op", "spread", "B/op", "best peer", "to floor");
            for (Arrangement arrangement : arrangements(list)) {
                addRows(table, of(arrangement, list));
            }
            table.print(out);
            out.println();
        });
        out.println(
                "ns/op: the median of the forks, or of one fork's iterations. spread: from the fastest of them to the"
                        + " slowest, relative to the median.");
        out.println(
                "trend: in most forks the last iterations took longer than the first ones, or less long. The warm-up"
                        + " was too short, or something grows.");
        out.println("With more threads than CPUs, ns/op is the CPUs' time for one operation of all threads together.");
        out.println("best peer: its time divided by ours, so more than 1 is faster than the best of the peers.");
        out.println("to floor: our time divided by that of a part which cannot be left out. B/op: bytes allocated.");
        out.println("unclear: the measurements lie too far apart for a conclusion.");
    }

    static SortedSet<Arrangement> arrangements(List<BenchmarkResult> list) {
        return list.stream().map(BenchmarkResult::arrangement).collect(Collectors.toCollection(TreeSet::new));
    }

    /** Those in an arrangement, fastest first. */
    static List<BenchmarkResult> of(Arrangement arrangement, List<BenchmarkResult> list) {
        return list.stream()
                .filter(result -> result.arrangement().equals(arrangement))
                .sorted(Comparator.comparingDouble(BenchmarkResult::nanos))
                .toList();
    }

    /** Those of a kind, in the order of the rows. */
    static Stream<BenchmarkResult> ofKind(Kind kind, List<BenchmarkResult> rows) {
        return rows.stream().filter(row -> row.kind() == kind);
    }

    private static void addRows(TextTable table, List<BenchmarkResult> rows) {
        for (BenchmarkResult row : rows) {
            table.add(
                    "  " + row.method(),
                    row.arrangement().label(),
                    number(row.nanos()),
                    String.format(Locale.ROOT, "%.0f%%", row.spread() * PERCENT) + (row.trend() ? ", trend" : ""),
                    number(row.allocatedBytes()),
                    toPeer(row, rows),
                    row.kind() == Kind.OURS ? toFloors(row, rows) : "");
        }
    }

    private static String toPeer(BenchmarkResult row, List<BenchmarkResult> rows) {
        return switch (row.kind()) {
            case OURS -> {
                List<BenchmarkResult> peers = ofKind(Kind.PEER, rows).toList();
                yield peers.isEmpty()
                        ? "none"
                        : Ratio.ofBest(peers, row) + " " + peers.getFirst().method();
            }
            case PEER -> "";
            case FLOOR -> "floor";
            case NOT_COMPARABLE -> "not comparable";
        };
    }

    private static String toFloors(BenchmarkResult row, List<BenchmarkResult> rows) {
        return ofKind(Kind.FLOOR, rows)
                .map(floor -> Ratio.of(row, floor) + " " + floor.method())
                .collect(Collectors.joining(", "));
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.2f", value);
    }
}

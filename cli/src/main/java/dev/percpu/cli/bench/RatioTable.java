package dev.percpu.cli.bench;

import dev.percpu.cli.bench.Roles.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * How many times as fast ours is as the best of its peers: a row for each of ours in several comparisons, and a column
 * for each processor. Each number is a quotient of two results of one processor. A comparison without results has a row
 * that says so.
 */
final class RatioTable {
    private static final String NOT_MEASURED = "–";

    /** The results by comparison, sequences and the main table's arrangements alone. */
    private final SequencedMap<String, List<BenchmarkResult>> comparisons = new LinkedHashMap<>();

    RatioTable(Map<String, List<BenchmarkResult>> comparisons) {
        comparisons.forEach((name, list) -> this.comparisons.put(
                name,
                list.stream()
                        .filter(result -> result.run().backend() == BackEnd.RSEQ
                                && result.arrangement().isFewest(result.run().cpus()))
                        .toList()));
    }

    String text() {
        Set<String> processors = new TreeSet<>();
        Set<String> threads = new TreeSet<>();
        comparisons
                .values()
                .forEach(list -> list.forEach(result -> {
                    processors.add(result.run().processor());
                    threads.add(FigureTables.threads(result.run().cpus()));
                }));
        List<List<String>> rows = new ArrayList<>();
        comparisons.forEach((name, list) -> {
            Set<String> ours = list.stream()
                    .filter(result -> result.kind() == Kind.OURS)
                    .map(BenchmarkResult::labelInComparison)
                    .collect(Collectors.toCollection(LinkedHashSet::new));
            for (String label : ours) {
                List<String> row = new ArrayList<>(List.of(label));
                processors.forEach(processor -> row.add(cell(label, processor, list)));
                rows.add(row);
            }
            if (ours.isEmpty()) {
                List<String> row = new ArrayList<>(List.of("`" + name + "`: not measured"));
                processors.forEach(_ -> row.add(""));
                rows.add(row);
            }
        });
        return Tables.table("the best peer's time / ours, " + String.join("; ", threads), processors, rows);
    }

    private static String cell(String label, String processor, List<BenchmarkResult> comparison) {
        List<BenchmarkResult> list = comparison.stream()
                .filter(result -> result.run().processor().equals(processor))
                .toList();
        return list.isEmpty()
                ? ""
                : Report.arrangements(list).stream()
                        .map(arrangement -> ratio(label, Report.of(arrangement, list)))
                        .collect(Collectors.joining(" / "));
    }

    /** A ratio within one arrangement's rows. */
    private static String ratio(String label, List<BenchmarkResult> rows) {
        List<BenchmarkResult> peers = Report.ofKind(Kind.PEER, rows).toList();
        return Report.ofKind(Kind.OURS, rows)
                .filter(ours -> !peers.isEmpty() && ours.labelInComparison().equals(label))
                .findFirst()
                .map(ours -> Ratio.ofBest(peers, ours).brief())
                .orElse(NOT_MEASURED);
    }
}

package dev.percpu.cli.bench;

import dev.percpu.cli.bench.Roles.Kind;
import dev.percpu.cli.output.TextTable;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Compares the ratios of a run, ours to the best peer's, with the saved ones. The best peer is the best of those that
 * both have: a peer that only one of them has would change the ratio although nothing became slower.
 *
 * <p>Two ratios agree if they differ by 15% at most. If they differ by more and their ranges do not overlap, the new
 * one is worse or better. If the ranges overlap and one of them is too wide (see {@link Ratio}), the verdict is
 * unclear, however near the ratios are. Otherwise they differ within the spread, which proves nothing. One JVM does not
 * show how JVMs differ, so measure a ratio that is worse in one JVM again in several.
 */
public final class Regressions {
    private static final double AGREEMENT = 1.15;
    private static final double PERCENT = 100;

    /** Fewer JVMs say nothing of how JVMs differ. */
    private static final int SEVERAL = 3;

    /** What two ratios say together; the most important first. */
    private enum Verdict {
        WORSE("worse"),
        BETTER("better"),
        WITHIN_THE_SPREAD("differs, within the spread"),
        UNCLEAR("unclear"),
        NOT_SAVED("not saved"),
        AGREES("agrees");

        private final String text;

        Verdict(String text) {
            this.text = text;
        }

        static Verdict of(@Nullable Ratio before, Ratio now) {
            if (before == null) {
                return NOT_SAVED;
            }
            double change = now.value() / before.value();
            boolean near = change <= AGREEMENT && 1 / change <= AGREEMENT;
            // Before anything is called unclear: a ratio that has collapsed is often one that varies widely, too.
            if (before.isApartFrom(now)) {
                return near ? AGREES : change < 1 ? WORSE : BETTER;
            }
            if (before.isUnclear() || now.isUnclear()) {
                return UNCLEAR;
            }
            return near ? AGREES : WITHIN_THE_SPREAD;
        }
    }

    /**
     * A line of the table.
     *
     * @param name of ours, with its comparison and arrangement
     * @param benchmark a regular expression that finds its benchmark
     * @param threads the options that measure its arrangement, besides {@code --quick}
     */
    private record Row(
            String name,
            String benchmark,
            String threads,
            @Nullable Ratio before,
            Ratio now,
            Verdict verdict) {
        private boolean isWorseInFewJvms() {
            return verdict == Verdict.WORSE && now.jvms() < SEVERAL;
        }

        private String remark() {
            return verdict.text
                    + (isWorseInFewJvms() ? ", in " + now.jvms() + (now.jvms() == 1 ? " JVM" : " JVMs") : "");
        }

        /** By how much the ratio changed; nothing if one of them is unknown, or the verdict is unclear. */
        private String change() {
            return before == null || verdict == Verdict.UNCLEAR
                    ? ""
                    : String.format(Locale.ROOT, "%+.0f%%", (now.value() / before.value() - 1) * PERCENT);
        }
    }

    private final List<Row> rows = new ArrayList<>();

    public Regressions(Results saved, Results measured) {
        Set<String> peersNow = peers(measured);
        Map<String, Ratio> before = new LinkedHashMap<>();
        ratios(saved, peersNow).forEach(row -> before.put(row.name, row.now));
        // What has no peer in common is listed, too.
        Map<String, Row> now = new LinkedHashMap<>();
        ratios(measured, peersNow).forEach(row -> now.put(row.name, row));
        ratios(measured, peers(saved)).forEach(row -> now.put(row.name, row));
        for (Row row : now.values()) {
            Ratio old = before.get(row.name);
            rows.add(new Row(row.name, row.benchmark, row.threads, old, row.now, Verdict.of(old, row.now)));
        }
        rows.sort(Comparator.comparing(Row::verdict));
    }

    /**
     * Prints a table, with what is marked first.
     *
     * @return how many ratios are worse than the saved ones
     */
    public int print(PrintWriter out) {
        TextTable table = new TextTable("against the best peer", "saved", "now", "change", "");
        for (Row row : rows) {
            table.add(
                    row.name,
                    row.before == null ? "" : row.before.toString(),
                    row.now.toString(),
                    row.change(),
                    row.remark());
        }
        table.print(out);
        out.println();
        Map<Verdict, Long> counts = rows.stream()
                .collect(
                        Collectors.groupingBy(Row::verdict, () -> new EnumMap<>(Verdict.class), Collectors.counting()));
        long agree = counts.getOrDefault(Verdict.AGREES, 0L);
        out.println(agree + " of " + rows.size() + " ratios agree with the saved ones, which means within 15%.");
        if (agree < rows.size()) {
            out.println(counts.entrySet().stream()
                    .filter(entry -> entry.getKey() != Verdict.AGREES)
                    .map(entry -> entry.getKey().text + ": " + entry.getValue())
                    .collect(Collectors.joining("; ", "The others are marked: ", ".")));
        }
        out.println("worse, better: by more than the measurements' spread. unclear: one of the two ratios could vary by"
                + " more than half, and also be what the other one is.");
        advise(out);
        return (int) counts.getOrDefault(Verdict.WORSE, 0L).longValue();
    }

    /** How to find out whether what is worse in one JVM is worse in others. */
    private void advise(PrintWriter out) {
        Map<String, Set<String>> again = rows.stream()
                .filter(Row::isWorseInFewJvms)
                .collect(Collectors.groupingBy(
                        Row::threads,
                        TreeMap::new,
                        Collectors.mapping(Row::benchmark, Collectors.toCollection(LinkedHashSet::new))));
        if (!again.isEmpty()) {
            out.println("One JVM says nothing of how JVMs differ. This measures what is worse in more of them:");
            again.forEach((threads, benchmarks) -> out.println("  ./percpu bench --quick --forks 5 --check" + threads
                    + " --only '" + String.join("|", benchmarks) + "'"));
        }
    }

    /** The options for an arrangement that a quick run does not measure. */
    private static String threads(BenchmarkResult result) {
        Arrangement arrangement = result.arrangement();
        return arrangement.isFewest(result.run().cpus())
                ? ""
                : " --threads " + arrangement.threads() + (arrangement.virtual() ? " --virtual" : "");
    }

    /** What is a peer of ours, each with its comparison and arrangement. */
    private static Set<String> peers(Results results) {
        Set<String> peers = new HashSet<>();
        results.comparisons().forEach((comparison, list) -> {
            for (Arrangement arrangement : Report.arrangements(list)) {
                Report.ofKind(Kind.PEER, Report.of(arrangement, list))
                        .forEach(peer -> peers.add(nameOf(comparison, peer.method(), arrangement)));
            }
        });
        return peers;
    }

    private static String nameOf(String comparison, String method, Arrangement arrangement) {
        return comparison + ", " + method + ", " + arrangement.description();
    }

    /** The best peer's time divided by ours, for each of ours and each arrangement; only of the given peers. */
    private static List<Row> ratios(Results results, Set<String> peers) {
        List<Row> ratios = new ArrayList<>();
        results.comparisons().forEach((comparison, list) -> {
            for (Arrangement arrangement : Report.arrangements(list)) {
                var rows = Report.of(arrangement, list);
                List<BenchmarkResult> those = Report.ofKind(Kind.PEER, rows)
                        .filter(peer -> peers.contains(nameOf(comparison, peer.method(), arrangement)))
                        .toList();
                Report.ofKind(Kind.OURS, rows)
                        .filter(_ -> !those.isEmpty())
                        .forEach(ours -> ratios.add(new Row(
                                nameOf(comparison, ours.method(), arrangement),
                                "\\." + ours.simpleClassName() + "\\.",
                                threads(ours),
                                null,
                                Ratio.ofBest(those, ours),
                                Verdict.NOT_SAVED)));
            }
        });
        return ratios;
    }
}

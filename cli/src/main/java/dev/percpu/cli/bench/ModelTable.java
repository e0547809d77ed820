package dev.percpu.cli.bench;

import dev.percpu.cli.output.CliException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What the model of docs/performance.md says for many CPUs, held against what was measured on the CPUs that a machine
 * has. With <i>n</i> CPUs an operation takes <i>n · (e + k · c / b)</i>, or <i>e</i> if no line moves. <i>e</i> is its
 * time on one CPU alone; <i>k</i> is how many atomic instructions it executes on a line that all CPUs want; <i>c</i> is
 * how long such a line is on its way to the next CPU, and <i>b</i> how many atomic instructions a CPU executes before
 * the line goes on.
 */
final class ModelTable {
    /** Where <i>c</i> and <i>b</i> are measured. */
    private static final String CHART = "Cache line";

    private static final String TRANSFER = "ns on its way";
    private static final String VISIT = "additions in a visit";

    /** For these numbers of CPUs nothing is measured. */
    private static final List<Integer> MANY = List.of(64, 256);

    /**
     * A row.
     *
     * @param taken how many atomic instructions an operation executes on a line that all want
     * @param benchmark the class and the method
     */
    private record Entry(int taken, String benchmark) {
        private static Entry parse(String text) {
            String[] parts = text.strip().split(" ", -1);
            try {
                return new Entry(Integer.parseInt(parts[0]), parts[1]);
            } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
                throw new CliException(
                        "this is no row of a model, such as \"1 AddBenchmark.atomicLongAdd\": " + text, e);
            }
        }
    }

    private final List<Entry> entries;
    private final List<BenchmarkResult> results;
    private final Curves curves;

    /**
     * Takes what it is made of.
     *
     * @param entries rows, with semicolons in between: a number and a benchmark, such as {@code
     *     1 AddBenchmark.atomicLongAdd}
     */
    ModelTable(String entries, List<BenchmarkResult> results, Curves curves) {
        this.entries = Arrays.stream(entries.split(";", -1)).map(Entry::parse).toList();
        this.results = results.stream()
                .filter(result -> result.run().backend() == BackEnd.RSEQ)
                .toList();
        this.curves = curves;
    }

    /** A table for each processor on which a cache line's way was measured; or which command does that. */
    String text() {
        String tables = results.stream()
                .map(BenchmarkResult::run)
                .map(Run::processor)
                .collect(Collectors.toCollection(TreeSet::new))
                .stream()
                .map(this::table)
                .flatMap(Optional::stream)
                .collect(Collectors.joining("\n"));
        return tables.isEmpty() ? Tables.notMeasured("--curves=\"" + CHART + "\"") : tables;
    }

    private Optional<String> table(String processor) {
        return curves.value(CHART, processor, TRANSFER)
                .flatMap(transfer -> curves.value(CHART, processor, VISIT)
                        .map(visit -> table(processor, transfer.median(), visit.median())));
    }

    private String table(String processor, double transfer, double visit) {
        int cpus = results.stream()
                .filter(result -> result.run().processor().equals(processor))
                .mapToInt(result -> result.run().cpus())
                .findFirst()
                .orElseThrow();
        List<List<String>> rows = new ArrayList<>();
        for (Entry entry : entries) {
            of(entry, processor, 1).ifPresent(alone -> {
                double predicted = predicted(entry, alone, cpus, transfer / visit);
                Optional<BenchmarkResult> all = of(entry, processor, cpus);
                List<String> row = new ArrayList<>(List.of(
                        alone.labelInComparison(),
                        Integer.toString(entry.taken),
                        Tables.digits(alone.nanos()),
                        Tables.digits(predicted),
                        all.map(result -> Tables.spread(result.nanos(), result.least(), result.greatest()))
                                .orElse(""),
                        all.map(result -> difference(predicted, result.nanos())).orElse("")));
                MANY.forEach(many -> row.add(bounds(entry, alone, many, transfer, visit)));
                rows.add(row);
            });
        }
        List<String> columns = new ArrayList<>(
                List.of("*k*", "*e*: 1 CPU", cpus + " CPUs, by the model", cpus + " CPUs, measured", "difference"));
        MANY.forEach(many -> columns.add(many + " CPUs, by the model"));
        return Tables.table(
                processor + ", *c* = " + Tables.digits(transfer) + " ns, *b* = " + Tables.digits(visit), columns, rows);
    }

    /** With as many instructions in a visit as there were, and with one. */
    private static String bounds(Entry entry, BenchmarkResult alone, int cpus, double transfer, double visit) {
        String least = Tables.digits(predicted(entry, alone, cpus, transfer / visit));
        String greatest = Tables.digits(predicted(entry, alone, cpus, transfer));
        return least.equals(greatest) ? least : least + "–" + greatest;
    }

    private static String difference(double predicted, double measured) {
        return String.format(Locale.ROOT, "%+.0f%%", (measured / predicted - 1) * 100);
    }

    /**
     * The time of an operation.
     *
     * @param wait what an atomic instruction waits for the line, on average
     */
    private static double predicted(Entry entry, BenchmarkResult alone, int cpus, double wait) {
        return entry.taken == 0 ? alone.nanos() : cpus * (alone.nanos() + entry.taken * wait);
    }

    private Optional<BenchmarkResult> of(Entry entry, String processor, int threads) {
        return results.stream()
                .filter(result -> result.run().processor().equals(processor)
                        && result.isOf(entry.benchmark)
                        && result.arrangement().equals(new Arrangement(threads, false)))
                .findFirst();
    }
}

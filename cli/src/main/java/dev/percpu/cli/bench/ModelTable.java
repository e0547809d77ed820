package dev.percpu.cli.bench;

import dev.percpu.cli.CliException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What the model of docs/performance.md says for many CPUs, held against what was measured on the CPUs that a machine
 * has. With <i>n</i> CPUs an operation takes as long as on one CPU alone, or <i>k · n · s</i> if that is more. <i>k</i>
 * is how often it takes a cache line that all CPUs want, and <i>s</i> the time after which such a line goes from one
 * CPU to the next.
 */
final class ModelTable {
    /** The time after which a line goes on, within a socket, from a published measurement. */
    private static final double WITHIN_A_SOCKET = 15;

    /** The same across sockets. */
    private static final double ACROSS_SOCKETS = 70;

    private static final int CPUS_OF_A_SOCKET = 64;
    private static final int CPUS_OF_TWO_SOCKETS = 256;

    /**
     * A row.
     *
     * @param taken how often an operation takes a line that all want
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

    /**
     * Takes what it is made of.
     *
     * @param entries rows, with semicolons in between: a number and a benchmark, such as {@code 1
     *     AddBenchmark.atomicLongAdd}; the first one is what <i>s</i> is taken from
     */
    ModelTable(String entries, List<BenchmarkResult> results) {
        this.entries = Arrays.stream(entries.split(";", -1)).map(Entry::parse).toList();
        this.results = results.stream()
                .filter(result -> result.run().backend() == BackEnd.RSEQ)
                .toList();
    }

    /** A table for each processor that has results of the first row. */
    String text() {
        String tables = results.stream()
                .map(BenchmarkResult::run)
                .map(Run::processor)
                .collect(Collectors.toCollection(TreeSet::new))
                .stream()
                .map(this::table)
                .flatMap(Optional::stream)
                .collect(Collectors.joining("\n"));
        if (tables.isEmpty()) {
            throw new CliException("a table is of a model of " + entries.getFirst().benchmark + ", of which no results"
                    + " with 1 thread and one for each CPU are saved");
        }
        return tables;
    }

    private Optional<String> table(String processor) {
        int cpus = results.stream()
                .filter(result -> result.run().processor().equals(processor))
                .mapToInt(result -> result.run().cpus())
                .findFirst()
                .orElseThrow();
        return of(entries.getFirst(), processor, cpus).map(shared -> {
            double step = shared.nanos() / cpus;
            List<List<String>> rows = new ArrayList<>();
            for (Entry entry : entries) {
                of(entry, processor, 1)
                        .ifPresent(alone -> rows.add(List.of(
                                alone.labelInComparison(),
                                Integer.toString(entry.taken),
                                Tables.digits(alone.nanos()),
                                Tables.digits(predicted(entry, alone, cpus, step)),
                                of(entry, processor, cpus)
                                        .map(all -> Tables.spread(all.nanos(), all.least(), all.greatest()))
                                        .orElse(""),
                                Tables.digits(predicted(entry, alone, CPUS_OF_A_SOCKET, WITHIN_A_SOCKET)),
                                Tables.digits(predicted(entry, alone, CPUS_OF_TWO_SOCKETS, ACROSS_SOCKETS)))));
            }
            return Tables.table(
                    processor + ", *s* = " + Tables.digits(step) + " ns",
                    List.of(
                            "*k*",
                            "*e*: 1 CPU",
                            cpus + " CPUs, by the model",
                            cpus + " CPUs, measured",
                            CPUS_OF_A_SOCKET + " CPUs, one socket",
                            CPUS_OF_TWO_SOCKETS + " CPUs, two sockets"),
                    rows);
        });
    }

    private static double predicted(Entry entry, BenchmarkResult alone, int cpus, double step) {
        return Math.max(alone.nanos(), entry.taken * cpus * step);
    }

    private Optional<BenchmarkResult> of(Entry entry, String processor, int threads) {
        return results.stream()
                .filter(result -> result.run().processor().equals(processor)
                        && result.isOf(entry.benchmark)
                        && result.arrangement().equals(new Arrangement(threads, false)))
                .findFirst();
    }
}

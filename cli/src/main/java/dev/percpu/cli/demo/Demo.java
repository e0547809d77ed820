package dev.percpu.cli.demo;

import dev.percpu.cli.demo.FileCounter.PartlyCountedException;
import dev.percpu.cli.demo.ParallelCount.Outcome;
import dev.percpu.cli.output.Console;
import dev.percpu.cli.output.Messages;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.function.Supplier;

/** Counts files with per-CPU variables in many threads, and again in one thread to check the totals. */
public final class Demo {
    /*
     * Files are counted twice, and between the two a file can change or go away. That is not the counting's fault, so
     * each file's content is compared by length and checksum first; what has changed is left out, and everything is
     * counted again without it, as per-CPU totals don't tell what part of them came from where. Each round has fewer
     * files than the one before, so this ends.
     */
    private final Console console;
    private final Supplier<ReferenceCount> reference;
    private final Progress progress;
    private final SequencedMap<Path, String> skipped = new TreeMap<>();
    private final SequencedMap<Path, Long> sizes = new TreeMap<>();

    private Demo(Console console, Supplier<ReferenceCount> reference, List<Path> roots) {
        this.console = console;
        this.reference = reference;
        this.progress = new Progress(console);
        sizes.putAll(FileTree.find(roots, (file, e) -> skip(file, Messages.reason(e))));
    }

    /**
     * What came out.
     *
     * @param counted the totals of the per-CPU variables
     * @param differences what of them differs from the reference, as text; empty if nothing does
     * @param shares what each CPU counted
     * @param skipped the files that are not in the totals, and why
     * @param threads how many threads counted
     * @param seconds how long they counted
     * @param referenceSeconds how long counting in a single thread took
     */
    public record Result(
            Totals counted,
            List<String> differences,
            List<CpuShare> shares,
            SequencedMap<Path, String> skipped,
            int threads,
            double seconds,
            double referenceSeconds) {}

    /**
     * Counts all regular files below some paths.
     *
     * @param console where progress and skipped files are told
     * @param reference makes what the totals are compared with
     * @throws dev.percpu.cli.output.CliException if one of the paths cannot be read
     */
    public static Result run(Console console, Supplier<ReferenceCount> reference, List<Path> roots) {
        Demo demo = new Demo(console, reference, roots);
        while (true) {
            try (CountingVariables variables = new CountingVariables()) {
                Optional<Result> result = demo.count(variables);
                if (result.isPresent()) {
                    return result.get();
                }
            }
            console.say("counting again without what was skipped");
        }
    }

    /** Counts all files twice; empty if that must be done again with fewer. */
    private Optional<Result> count(CountingVariables variables) {
        long bytes = sizes.values().stream().mapToLong(Long::longValue).sum();
        Outcome outcome;
        double seconds;
        try (Progress.Phase phase = progress.begin("counting", bytes)) {
            outcome = ParallelCount.count(variables, largestFirst(), phase);
            seconds = phase.seconds();
        }
        outcome.failed().forEach((file, e) -> skip(file, Messages.reason(e)));
        if (outcome.failed().values().stream().anyMatch(PartlyCountedException.class::isInstance)) {
            return Optional.empty();
        }

        ReferenceCount single = reference.get();
        SequencedMap<Path, String> changed = new TreeMap<>();
        double referenceSeconds;
        try (Progress.Phase phase = progress.begin("checking", bytes)) {
            sizes.keySet().forEach(file -> {
                try {
                    if (!single.add(file).equals(outcome.counted().get(file))) {
                        changed.put(file, "it changed while it was counted");
                    }
                } catch (IOException e) {
                    changed.put(file, "once it was counted it could not be read again: " + Messages.reason(e));
                }
                phase.reached(single.bytes());
            });
            referenceSeconds = phase.seconds();
        }
        changed.forEach(this::skip);
        if (!changed.isEmpty()) {
            return Optional.empty();
        }

        Totals counted = variables.totals();
        return Optional.of(new Result(
                counted,
                counted.differencesFrom(single.totals()),
                variables.shares(),
                skipped,
                ParallelCount.THREADS,
                seconds,
                referenceSeconds));
    }

    /** In this order no thread is left alone with a large file at the end. */
    private List<Path> largestFirst() {
        Comparator<Map.Entry<Path, Long>> bySize = Map.Entry.comparingByValue();
        return sizes.entrySet().stream()
                .sorted(bySize.reversed())
                .map(Map.Entry::getKey)
                .toList();
    }

    private void skip(Path file, String reason) {
        sizes.remove(file);
        skipped.put(file, reason);
        console.say("skipped " + Messages.printable(file) + ": " + reason);
    }
}

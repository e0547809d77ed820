package dev.percpu.cli.bench;

import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * By which threads a benchmark is run.
 *
 * @param threads how many at a time
 * @param virtual whether they are virtual threads
 */
public record Arrangement(int threads, boolean virtual) implements Comparable<Arrangement> {
    /** So many threads for each CPU are more than can run at a time. */
    private static final int OVERSUBSCRIPTION = 4;

    private static final Comparator<Arrangement> ORDER =
            Comparator.comparing(Arrangement::virtual).thenComparingInt(Arrangement::threads);

    /** A thread alone, one for each CPU, and more than there are CPUs; platform threads first, then virtual ones. */
    public static List<Arrangement> all(int cpus) {
        return Stream.of(false, true)
                .flatMap(virtual -> Stream.of(1, cpus, OVERSUBSCRIPTION * cpus)
                        .distinct()
                        .map(threads -> new Arrangement(threads, virtual)))
                .toList();
    }

    /** The two that say most: a thread alone, and one for each CPU. */
    public static List<Arrangement> fewest(int cpus) {
        return all(cpus).stream().filter(one -> one.isFewest(cpus)).toList();
    }

    /** Whether it is one of the {@link #fewest}. */
    boolean isFewest(int cpus) {
        return !virtual && (threads == 1 || threads == cpus);
    }

    /** As a table tells it. */
    String label() {
        return threads + (virtual ? " virtual" : "");
    }

    /** As a sentence tells it. */
    public String description() {
        return threads + (virtual ? " virtual" : "") + (threads == 1 ? " thread" : " threads");
    }

    @Override
    public int compareTo(Arrangement other) {
        return ORDER.compare(this, other);
    }
}

package dev.percpu.cli.bench;

import java.util.Comparator;
import java.util.List;

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
        return List.of(
                new Arrangement(1, false),
                new Arrangement(cpus, false),
                new Arrangement(OVERSUBSCRIPTION * cpus, false),
                new Arrangement(1, true),
                new Arrangement(cpus, true),
                new Arrangement(OVERSUBSCRIPTION * cpus, true));
    }

    /** The two that say most: a thread alone, and one for each CPU. */
    public static List<Arrangement> fewest(int cpus) {
        return List.of(new Arrangement(1, false), new Arrangement(cpus, false));
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

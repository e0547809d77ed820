package dev.percpu.stress.failure;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Tries each operation with each way to fail, in a JVM for each way, and reports what was found. */
public final class FailureRun {
    private final String backend;
    private final List<Way> ways;
    private final List<Operation> operations;
    private final Extent extent;
    private final PrintStream out;

    private final Map<String, Tally> tallies = new LinkedHashMap<>();
    private final List<String> failures = new ArrayList<>();
    private final Set<KnownViolation> seen = new LinkedHashSet<>();
    private long nanos;

    /** How many of the steps are made to fail. */
    public enum Extent {
        ALL_STEPS,
        /** For every build. */
        SOME_STEPS
    }

    /** What came of all rounds of one way. */
    private static final class Tally {
        private long rounds;
        private long failed;
        private long happened;
        private long slow;
        private long violations;
    }

    /**
     * @param backend rseq or atomic
     * @param wanted how the names of the ways begin; empty for all
     * @param only how the names of the operations begin; empty for all
     */
    public FailureRun(String backend, List<String> wanted, List<String> only, Extent extent, PrintStream out) {
        this.backend = backend;
        this.ways = Ways.all(extent).stream()
                .filter(way -> begins(way.name(), wanted))
                .toList();
        this.operations = Operations.all().stream()
                .filter(operation -> begins(operation.name(), only))
                .toList();
        this.extent = extent;
        this.out = out;
    }

    /** The names of all ways to fail. */
    public static List<String> wayNames() {
        return Ways.all(Extent.ALL_STEPS).stream().map(Way::name).toList();
    }

    /** The names of all operations. */
    public static List<String> operationNames() {
        return Operations.all().stream().map(Operation::name).toList();
    }

    private static boolean begins(String name, List<String> beginnings) {
        return beginnings.isEmpty() || beginnings.stream().anyMatch(name::startsWith);
    }

    /** Tries them all, and returns whether nothing was violated. */
    public boolean run() throws IOException, InterruptedException {
        long start = System.nanoTime();
        for (Way way : ways) {
            Tally tally = new Tally();
            tallies.put(way.name(), tally);
            List<String> left = new ArrayList<>(operations.stream()
                    .map(Operation::name)
                    .filter(name -> extent == Extent.ALL_STEPS || !isKnown(name, way))
                    .toList());
            while (!left.isEmpty()) {
                runSome(way, left, tally);
            }
        }
        nanos = System.nanoTime() - start;
        if (extent == Extent.ALL_STEPS) {
            checkKnown();
        }
        return failures.isEmpty();
    }

    /** Runs a JVM, which comes to the end of the operations as a rule, and takes off the list those that it did. */
    private void runSome(Way way, List<String> left, Tally tally) throws IOException, InterruptedException {
        Child child = Child.start(way, backend, left, extent);
        String current = left.getFirst();
        boolean ended = false;
        for (String line; (line = child.nextLine()) != null; ) {
            String[] fields = line.split(FailureJvm.SEPARATOR, -1);
            switch (fields[0]) {
                case FailureJvm.BEGIN -> current = fields[1];
                case FailureJvm.VIOLATION -> violated(way, fields[1], fields[2], tally);
                case FailureJvm.RESULT -> {
                    tally.rounds += Long.parseLong(fields[2]);
                    tally.failed += Long.parseLong(fields[3]);
                    tally.happened += Long.parseLong(fields[4]);
                    tally.slow += Long.parseLong(fields[5]);
                    left.remove(fields[1]);
                }
                case FailureJvm.GOING_ON -> {}
                case FailureJvm.END -> ended = true;
                default -> child.remember(line);
            }
        }
        int status = child.status();
        if (!ended) {
            violated(way, current, "the JVM ends with status " + status + ":\n" + child.remembered(), tally);
            left.remove(current);
        }
    }

    private void violated(Way way, String operation, String what, Tally tally) {
        tally.violations++;
        KnownViolation.ALL.stream()
                .filter(known -> known.covers(operation, way.name()))
                .forEach(seen::add);
        if (!isKnown(operation, way)) {
            fail(operation + ", " + way.name() + ": " + what);
        }
    }

    private static boolean isKnown(String operation, Way way) {
        return KnownViolation.ALL.stream().anyMatch(known -> known.covers(operation, way.name()));
    }

    /** At once, as a long run may be ended early. */
    private void fail(String what) {
        failures.add(what);
        out.println("FAILED: " + what);
    }

    private void checkKnown() {
        for (KnownViolation known : KnownViolation.ALL) {
            boolean tried =
                    operations.stream().anyMatch(operation -> operation.name().startsWith(known.operation()))
                            && ways.stream().anyMatch(way -> way.name().startsWith(known.way()));
            if (tried && !seen.contains(known)) {
                fail(known.operation() + ", " + known.way()
                        + ": nothing is violated any more; take it off the list of what is known");
            }
        }
    }

    /** Prints what was done and found. */
    public void report() {
        out.printf(
                "Back end %s, %d operations, %d ways to fail, %.1f s%n%n",
                backend, operations.size(), ways.size(), nanos / 1e9);
        out.printf("%-20s %10s %10s %10s %10s %10s%n", "", "rounds", "failed", "happened", "recovered", "violated");
        tallies.forEach((name, tally) -> out.printf(
                "%-20s %,10d %,10d %,10d %,10d %,10d%n",
                name, tally.rounds, tally.failed, tally.happened, tally.slow, tally.violations));
        out.println();
        for (KnownViolation known : KnownViolation.ALL) {
            out.println("KNOWN: " + known.operation() + ", " + known.way() + ": " + known.reason());
        }
        if (!failures.isEmpty()) {
            String first = failures.getFirst();
            String[] names = first.substring(0, first.indexOf(':')).split(", (?=[^,]*$)", -1);
            out.println("Again, for example: ./percpu stress --failures --backend " + backend + " --ways " + names[1]
                    // A comma would separate two names; what is before it stands for all that begin with that.
                    + " --only '" + names[0].replaceFirst(",.*", "") + "'");
        }
    }
}

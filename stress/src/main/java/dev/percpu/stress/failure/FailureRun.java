package dev.percpu.stress.failure;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toCollection;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;

/** Tries each operation with each way to fail, and reports what it found. Tasks share a JVM where they can. */
public final class FailureRun {
    private final String backend;
    private final List<Way> ways;
    private final List<Operation> operations;
    private final Extent extent;
    private final PrintStream out;

    private final Map<String, Outcome> outcomes = new LinkedHashMap<>();
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
    private static final class Outcome {
        private long rounds;
        private long failed;
        private long happened;
        private long recovered;
        private long violations;

        /** The fields of a line that tells a result. */
        private void add(String[] fields) {
            rounds += Long.parseLong(fields[2]);
            failed += Long.parseLong(fields[3]);
            happened += Long.parseLong(fields[4]);
            recovered += Long.parseLong(fields[5]);
        }
    }

    /**
     * @param backend rseq or atomic
     * @param wanted how the names of the ways begin; empty for all
     * @param only the operations
     */
    public FailureRun(String backend, List<String> wanted, Predicate<String> only, Extent extent, PrintStream out) {
        this.backend = backend;
        this.ways = Ways.all(extent).stream()
                .filter(way -> begins(way.name(), wanted))
                .toList();
        this.operations = Operations.all().stream()
                .filter(operation -> only.test(operation.name()))
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

    /** Whether a name begins with one of these, or there are none. */
    private static boolean begins(String name, List<String> beginnings) {
        return beginnings.isEmpty() || beginnings.stream().anyMatch(name::startsWith);
    }

    /** Tries them all, and returns whether nothing was violated. */
    public boolean run() throws IOException, InterruptedException {
        long start = System.nanoTime();
        ways.forEach(way -> outcomes.put(way.name(), new Outcome()));
        Map<Object, List<Task>> tasks = ways.stream()
                .flatMap(way -> operations.stream().map(operation -> new Task(way, operation)))
                .filter(task -> task.way().fits(task.operation()))
                .filter(task -> extent == Extent.ALL_STEPS || !isKnown(task))
                .collect(groupingBy(Task::jvm, LinkedHashMap::new, toCollection(ArrayList::new)));
        for (List<Task> left : tasks.values()) {
            while (!left.isEmpty()) {
                runSome(left);
            }
        }
        nanos = System.nanoTime() - start;
        if (extent == Extent.ALL_STEPS) {
            checkKnown();
        }
        return failures.isEmpty();
    }

    /** Runs a JVM, which comes to the end of the tasks as a rule, and takes off the list those that it did. */
    private void runSome(List<Task> left) throws IOException, InterruptedException {
        Child child = Child.start(left, backend, extent);
        Task current = left.getFirst();
        String when = " before it began";
        boolean ended = false;
        for (String line; (line = child.nextLine()) != null; ) {
            String[] fields = line.split(FailureJvm.SEPARATOR, -1);
            switch (fields[0]) {
                case FailureJvm.BEGIN -> {
                    current = left.getFirst();
                    when = "";
                }
                case FailureJvm.VIOLATION -> violated(current, fields[2]);
                case FailureJvm.RESULT -> {
                    outcomeOf(current).add(fields);
                    left.remove(current);
                }
                case FailureJvm.GOING_ON -> {}
                case FailureJvm.END -> ended = true;
                default -> child.remember(line);
            }
        }
        int status = child.status();
        if (!ended) {
            violated(current, "the JVM ends with status " + status + when + ":\n" + child.remembered());
            left.remove(current);
        }
    }

    private Outcome outcomeOf(Task task) {
        return Objects.requireNonNull(outcomes.get(task.way().name()));
    }

    private void violated(Task task, String what) {
        outcomeOf(task).violations++;
        KnownViolation.ALL.stream().filter(known -> known.covers(task)).forEach(seen::add);
        if (!isKnown(task)) {
            fail(task + ": " + what);
        }
    }

    private static boolean isKnown(Task task) {
        return KnownViolation.ALL.stream().anyMatch(known -> known.covers(task));
    }

    /** At once, as a long run may be ended early. */
    private void fail(String what) {
        failures.add(what);
        out.println("FAILED: " + what);
    }

    private void checkKnown() {
        for (KnownViolation known : KnownViolation.ALL) {
            if (isTried(known) && !seen.contains(known)) {
                fail(known.operation() + ", " + known.way()
                        + ": nothing is violated any more; take it off the list of what is known");
            }
        }
    }

    /** Whether all of its ways are tried: in some of them there may be room for what it is about. */
    private boolean isTried(KnownViolation known) {
        List<String> names = ways.stream().map(Way::name).toList();
        return operations.stream().anyMatch(operation -> operation.name().startsWith(known.operation()))
                && Ways.all(extent).stream()
                        .map(Way::name)
                        .filter(name -> name.startsWith(known.way()))
                        .allMatch(names::contains);
    }

    /** Prints what was done and found. */
    public void report() {
        out.printf(
                Locale.ROOT,
                "Back end %s, %d operations, %d ways to fail, %.1f s%n%n",
                backend,
                operations.size(),
                ways.size(),
                nanos / 1e9);
        out.printf(
                Locale.ROOT,
                "%-20s %10s %10s %10s %10s %10s%n",
                "",
                "rounds",
                "failed",
                "happened",
                "recovered",
                "violated");
        outcomes.forEach((name, outcome) -> out.printf(
                Locale.ROOT,
                "%-20s %,10d %,10d %,10d %,10d %,10d%n",
                name,
                outcome.rounds,
                outcome.failed,
                outcome.happened,
                outcome.recovered,
                outcome.violations));
        out.println();
        for (KnownViolation known : KnownViolation.ALL) {
            out.println("KNOWN: " + known.operation() + ", " + known.way() + ": " + known.reason());
        }
        if (!failures.isEmpty()) {
            String first = failures.getFirst();
            String[] names = first.substring(0, first.indexOf(':')).split(", (?=[^,]*$)", -1);
            // Double quotes, as some names have an apostrophe.
            out.println("Again, for example: ./percpu stress --failures --backend " + backend + " --ways \"" + names[1]
                    // A comma would separate two names; what is before it stands for all that begin with that.
                    + "\" --only \"" + names[0].replaceFirst(",.*", "") + "\"");
        }
    }
}

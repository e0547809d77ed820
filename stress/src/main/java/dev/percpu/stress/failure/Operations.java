package dev.percpu.stress.failure;

import java.util.List;
import java.util.stream.Stream;

/** All operations. */
final class Operations {
    /** How the names begin of what uses a place of the thread's own, if it has one. */
    private static final List<String> HOT = List.of(
            "counter add",
            "counter sumThenReset",
            "counter array add",
            "counter array sumsThenReset",
            "buckets record",
            "double counter add",
            "double counter sumThenReset",
            "accumulator accumulate",
            "accumulator getThenReset",
            "double accumulator accumulate",
            "histogram record",
            "histogram snapshotThenReset",
            "histogram interval next",
            "summary accept",
            "summary summaryThenReset",
            "event record",
            "kept pool ",
            "ref ");

    /** How the names begin of what may do something else in a virtual thread: above all, what waits. */
    private static final List<String> VIRTUAL = List.of(
            "counter add",
            "number long add",
            "guard ",
            "variable run",
            "pool acquire",
            "pool timed tryAcquire",
            "pool release",
            "read lock lock",
            "read lock unlock",
            "write lock lock",
            "write lock unlock",
            "condition await",
            "condition signal",
            "ref get",
            "ref put",
            "ref killAndAwait");

    /** Part of the names of operations that wait for another thread. */
    private static final String WAITING = ", waiting";

    /** Part of the names of operations that another thread waits for. */
    private static final String WAITED_FOR = ", waited for";

    /** How the names begin of the others that wait, for another thread or until their time has run out. */
    private static final List<String> ALSO_WAITING =
            List.of("pool timed tryAcquire, all held", "condition await", "condition timed await", "ref killAndAwait");

    private static final List<String> CHECKED = List.of("pool ", "read lock ", "write lock ", "condition ");

    private static final List<Operation> ALL = Stream.of(
                    CounterTrials.all(),
                    SummaryTrials.all(),
                    EventTrials.all(),
                    NumberTrials.all(),
                    MakingTrials.all(),
                    StaticTrials.all(),
                    ClosingTrials.all(),
                    GuardTrials.all(),
                    VariableTrials.all(),
                    CellTrials.all(),
                    PoolTrials.all(),
                    LockTrials.all(),
                    ConditionTrials.all(),
                    RefTrials.all())
            .flatMap(List::stream)
            .flatMap(Operations::inAllCircumstances)
            .toList();

    private Operations() {}

    private static Stream<Operation> inAllCircumstances(Operation operation) {
        Stream.Builder<Operation> all = Stream.builder();
        all.add(operation);
        // A lock whose readers have not yet opened the tally uses no place of the thread's own.
        if (begins(operation, HOT) || operation.name().endsWith(LockTrials.TALLY_OPEN)) {
            all.add(operation.in(Variant.HOT));
        }
        if (begins(operation, VIRTUAL) && !LockTrials.isWarm(operation)) {
            all.add(operation.in(Variant.VIRTUAL));
        }
        if (begins(operation, CHECKED) && !LockTrials.isWarm(operation)) {
            all.add(operation.in(Variant.CHECKED));
        }
        return all.build();
    }

    private static boolean begins(Operation operation, List<String> beginnings) {
        return beginnings.stream().anyMatch(operation.name()::startsWith);
    }

    /** Whether a thread that uses it is parked, if no step fails. */
    static boolean waits(Operation operation) {
        return operation.name().contains(WAITING) || begins(operation, ALSO_WAITING);
    }

    /** Whether another thread waits for it to be used. */
    static boolean isWaitedFor(Operation operation) {
        return operation.name().contains(WAITED_FOR);
    }

    static List<Operation> all() {
        return ALL;
    }

    static Operation named(String name) {
        return ALL.stream()
                .filter(operation -> operation.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no operation is called " + name));
    }
}

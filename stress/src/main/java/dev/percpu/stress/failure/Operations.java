package dev.percpu.stress.failure;

import java.util.List;
import java.util.stream.Stream;

/** All operations. */
final class Operations {
    private static final List<Operation> ALL = Stream.of(
                    CounterTrials.all(),
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
            .flatMap(Operation::inEachVariant)
            .toList();

    private Operations() {}

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

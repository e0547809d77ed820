package dev.percpu.stress.failure;

import java.util.List;
import java.util.stream.Stream;

/**
 * A violation that is known and not repaired yet. It does not fail a run. But a long run that tries the operation in
 * this way and sees no violation fails, so that the list shrinks. A short run leaves it out.
 *
 * @param operation how the operation's name begins
 * @param way how the name of the way begins
 * @param reason why it is not repaired yet
 */
record KnownViolation(String operation, String way, String reason) {
    private static final String FIRST_OBJECT =
            "a class whose initializer fails stays unusable: create the first object of a kind when the program starts";

    static final List<KnownViolation> ALL = Stream.of(
                    "make ", "define ", "number of a variable", "variable create", "guard ", "onEachCpu")
            .map(operation -> new KnownViolation(operation, FirstUse.NAME, FIRST_OBJECT))
            .toList();

    boolean covers(Task task) {
        return task.operation().name().startsWith(operation)
                && task.way().name().startsWith(way);
    }
}

package dev.percpu.stress.failure;

import java.util.List;

/**
 * A violation that is known and not repaired yet. It does not fail a run. But a long run that tries the operation in
 * this way and sees no violation fails, so that the list shrinks. A short run leaves it out.
 *
 * @param operation how the operation's name begins
 * @param way how the name of the way begins
 * @param reason why it is not repaired yet
 */
record KnownViolation(String operation, String way, String reason) {
    private static final String POOL = "the number of an object gets lost, or the lock stays locked";
    private static final String LOCK = "at the end of the stack a ReentrantLock is locked and throws all the same";

    static final List<KnownViolation> ALL = List.of(
            new KnownViolation("pool", "stack", POOL),
            new KnownViolation("write lock", "stack", LOCK),
            new KnownViolation("read lock", "stack/C1", LOCK),
            new KnownViolation("pool acquire, made", "heap", "seen once: an object was made and not destroyed"),
            new KnownViolation("variable close", "heap", "an instance is not closed by the second close"));

    boolean covers(String otherOperation, String otherWay) {
        return otherOperation.startsWith(operation) && otherWay.startsWith(way);
    }
}

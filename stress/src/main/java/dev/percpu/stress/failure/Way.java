package dev.percpu.stress.failure;

import java.util.List;

/** A way to make a step fail. */
interface Way {
    /** What it is called on the command line and in the report. */
    String name();

    /** What a JVM must be started with. */
    List<String> jvmOptions();

    /** Whether nothing else may have been tried before in the same JVM. */
    default boolean needsFreshJvm() {
        return false;
    }

    /** Whether it can be caused in an operation's circumstances, and leaves the JVM intact. */
    default boolean fits(Operation operation) {
        return true;
    }

    /** Does rounds, in which one step after the other fails, until none is left. */
    void run(Rounds rounds) throws Exception;

    /** Whether this is what an operation may throw, or be caused by, if a step failed in this way. */
    boolean explains(Throwable thrown);
}

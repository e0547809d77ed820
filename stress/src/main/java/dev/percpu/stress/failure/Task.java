package dev.percpu.stress.failure;

import java.util.List;
import java.util.stream.Stream;

/** An operation that is tried with one way to fail. Its text is how JVMs name it to each other. */
record Task(Way way, Operation operation) {
    private static final String SEPARATOR = ", ";

    /** What a JVM must be started with. */
    List<String> jvmOptions() {
        return Stream.concat(way.jvmOptions().stream(), operation.variant().jvmOptions().stream())
                .toList();
    }

    /** What tasks that can share a JVM have in common. */
    Object jvm() {
        return way.needsFreshJvm() ? this : jvmOptions();
    }

    static Task of(String text, List<Way> ways) {
        int end = text.lastIndexOf(SEPARATOR);
        return new Task(
                Ways.named(text.substring(end + SEPARATOR.length()), ways), Operations.named(text.substring(0, end)));
    }

    @Override
    public String toString() {
        return operation.name() + SEPARATOR + way.name();
    }
}

package dev.percpu.stress.failure;

/** An operation that is tried with one way to fail. Its text is how JVMs name it to each other. */
record Task(Way way, Operation operation) {
    private static final String SEPARATOR = ", ";

    static Task of(String text, FailureRun.Extent extent) {
        int end = text.lastIndexOf(SEPARATOR);
        return new Task(
                Ways.named(text.substring(end + SEPARATOR.length()), extent), Operations.named(text.substring(0, end)));
    }

    @Override
    public String toString() {
        return operation.name() + SEPARATOR + way.name();
    }
}

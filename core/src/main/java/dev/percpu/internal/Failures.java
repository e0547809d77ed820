package dev.percpu.internal;

import org.jspecify.annotations.Nullable;

/** What went wrong in a series of steps of which each is taken whatever becomes of the others. */
public final class Failures {
    private @Nullable Throwable first;

    /** Remembers a failure: the first is thrown in the end, and the later ones are suppressed by it. */
    public void add(@Nullable Throwable failure) {
        if (first == null) {
            first = failure;
        } else if (failure != null) {
            suppress(first, failure);
        }
    }

    /** Lets {@code cause} suppress what went wrong. */
    public void addTo(Throwable cause) {
        if (first != null) {
            suppress(cause, first);
        }
    }

    /**
     * Throws the first failure, if there is any.
     *
     * @param checked the message of the {@link IllegalStateException} that carries a checked exception
     */
    public void rethrow(String checked) {
        switch (first) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(checked, first);
        }
    }

    @SuppressWarnings("ReferenceEquality") // an exception cannot suppress itself; an equal one it can
    private static void suppress(Throwable by, Throwable failure) {
        if (by != failure) {
            by.addSuppressed(failure);
        }
    }
}

package dev.percpu.internal.failure;

import org.jspecify.annotations.Nullable;

/** What went wrong in a series of steps which are all taken, even if some of them fail. */
public final class Failures {
    private @Nullable Throwable first;

    /** Records a failure: the first one is thrown at the end, with the later ones as suppressed exceptions. */
    public void add(@Nullable Throwable failure) {
        if (first == null) {
            first = failure;
        } else if (failure != null) {
            suppress(first, failure);
        }
    }

    /** Adds what went wrong to {@code cause} as suppressed exceptions. */
    public void addTo(Throwable cause) {
        if (first != null) {
            suppress(cause, first);
        }
    }

    /**
     * Throws the first failure, if there is one.
     *
     * @param checked the message of the {@link IllegalStateException} that carries a checked exception
     */
    public void rethrow(String checked) {
        // No switch over types: the JVM links its first use, and what fails then for want of memory can fail for ever.
        if (first instanceof RuntimeException e) {
            throw e;
        }
        if (first instanceof Error e) {
            throw e;
        }
        if (first != null) {
            throw carrier(checked, first);
        }
    }

    private static IllegalStateException carrier(String message, Throwable checked) {
        try {
            return new IllegalStateException(message, checked);
        } catch (Throwable full) {
            suppress(full, checked);
            throw full;
        }
    }

    @SuppressWarnings("ReferenceEquality") // an exception cannot suppress itself; an equal one it can
    private static void suppress(Throwable by, Throwable failure) {
        try {
            if (by != failure) {
                by.addSuppressed(failure);
            }
        } catch (Throwable full) {
            // There is no memory to note a later failure. The steps go on, and the first failure matters more.
        }
    }
}

package dev.percpu.internal.backend;

import org.jspecify.annotations.Nullable;

/** Says why restartable sequences, or a test of them, cannot be used here. */
public final class RseqUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1;

    RseqUnavailableException(String reason, @Nullable Throwable cause) {
        super(reason, cause);
    }
}

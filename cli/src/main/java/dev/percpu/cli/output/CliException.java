package dev.percpu.cli.output;

/** Ends the command with a message for the user, which is a whole explanation, and exit status 1. */
public final class CliException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public CliException(String message) {
        super(message);
    }

    public CliException(String message, Throwable cause) {
        super(message, cause);
    }
}

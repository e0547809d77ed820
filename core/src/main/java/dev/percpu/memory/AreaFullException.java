package dev.percpu.memory;

/**
 * Thrown when the per-CPU area has no room for a variable. The message names the variable, how much memory it needs,
 * how much is in use, and the property that enlarges the area. If it is the kernel that refuses memory for the area,
 * the message says what the kernel refused, and which limits to raise.
 */
public final class AreaFullException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    /** Creates an exception with the given message. */
    public AreaFullException(String message) {
        super(message);
    }
}

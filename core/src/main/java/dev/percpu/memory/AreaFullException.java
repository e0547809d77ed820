package dev.percpu.memory;

/**
 * Thrown when a variable finds no room in the per-CPU area. The message names the variable, what it needs, what is in
 * use, and the property that enlarges the area.
 */
public final class AreaFullException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    /** Makes one with the given message. */
    public AreaFullException(String message) {
        super(message);
    }
}

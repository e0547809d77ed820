package dev.percpu;

/** A variable's name, and whether the variable is closed. Its pointer and its cells share this object. */
final class Lifetime {
    private final String name;

    /** False is also what a thread can read from an object that was published unsafely. */
    private boolean open = true;

    Lifetime(String name) {
        this.name = name;
    }

    /** What messages call the variable. */
    String name() {
        return name;
    }

    /**
     * Checks that the variable is not closed.
     *
     * @throws IllegalStateException if it is closed
     */
    void checkOpen() {
        if (!open) {
            throw new IllegalStateException(name + " is closed");
        }
    }

    /** Closes the variable: each check throws from now on. */
    void close() {
        open = false;
    }
}

package dev.percpu.internal.backend;

import java.util.function.UnaryOperator;

/**
 * Lets a stress test come between the back end and all that uses it, to delay it and to count. Nothing else uses this, and
 * the package is exported to nobody.
 */
public final class Interposition {
    private static UnaryOperator<Backend> interposer = UnaryOperator.identity();
    private static boolean chosen;

    private Interposition() {}

    /**
     * Has every use of the back end go through what {@code interposer} makes of it.
     *
     * @throws IllegalStateException if the back end is in use already
     */
    public static synchronized void install(UnaryOperator<Backend> interposer) {
        if (chosen) {
            throw new IllegalStateException("the back end is in use already: come before the first per-CPU variable");
        }
        Interposition.interposer = interposer;
    }

    static synchronized Backend around(Backend backend) {
        chosen = true;
        return interposer.apply(backend);
    }
}

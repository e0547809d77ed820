package dev.percpu.internal.backend;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Lets a stress test insert code between the protocols and everything that uses them, in order to delay and to count.
 * Nothing else uses this, and the package is not exported.
 */
public final class Interposition {
    private static @Nullable Interposer interposer;

    private static boolean used;

    private Interposition() {}

    /** Makes the replacement for a protocol's half. */
    public interface Interposer {
        /**
         * Returns what is used as this protocol from then on.
         *
         * @param protocol the protocol's interface
         * @param normal the half that was chosen
         * @param rseq makes the half that calls other sequences, for example delayed ones
         */
        <P> P around(Class<P> protocol, P normal, Function<Sequences, ? extends P> rseq);
    }

    /**
     * Makes every use of a protocol go through what {@code interposer} returns for it.
     *
     * @throws IllegalStateException if a protocol is in use already
     */
    public static synchronized void install(Interposer interposer) {
        if (used) {
            throw new IllegalStateException("a protocol is in use already: come before the first per-CPU variable");
        }
        Interposition.interposer = interposer;
    }

    static synchronized <P> P around(Class<P> protocol, P normal, Function<Sequences, ? extends P> rseq) {
        used = true;
        return interposer == null ? normal : interposer.around(protocol, normal, rseq);
    }
}

package dev.percpu.internal.backend;

import java.util.function.Function;

/**
 * Lets a stress test come between the protocols and all that uses them, to delay and to count. Nothing else uses this,
 * and the package is exported to nobody.
 */
public final class Interposition {
    private static Interposer interposer = new Interposer() {
        @Override
        public <P> P around(Class<P> protocol, P normal, Function<Sequences, ? extends P> rseq) {
            return normal;
        }
    };

    private static boolean used;

    private Interposition() {}

    /** Makes what stands in for a protocol's half. */
    public interface Interposer {
        /**
         * What everyone will use as this protocol.
         *
         * @param protocol the protocol's interface
         * @param normal the half that was chosen
         * @param rseq makes the half that calls other sequences, delayed ones say
         */
        <P> P around(Class<P> protocol, P normal, Function<Sequences, ? extends P> rseq);
    }

    /**
     * Has every use of a protocol go through what {@code interposer} makes of it.
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
        return interposer.around(protocol, normal, rseq);
    }
}

package dev.percpu.internal.backend;

import java.util.function.Function;
import java.util.function.UnaryOperator;

/** Has a test do something before or after the steps of a protocol, or in their place. */
public final class Interposed {
    private Interposed() {}

    /**
     * Makes every use of one protocol go through what {@code replacement} returns for the half that was chosen. For a
     * JVM in which no protocol is in use yet.
     */
    public static <R> void replace(Class<R> replaced, UnaryOperator<R> replacement) {
        Interposition.install(new Interposition.Interposer() {
            @Override
            public <P> P around(Class<P> protocol, P normal, Function<Sequences, ? extends P> rseq) {
                return protocol.equals(replaced) ? protocol.cast(replacement.apply(replaced.cast(normal))) : normal;
            }
        });
    }
}

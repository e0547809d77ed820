package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.PerCpuRuntime;
import dev.percpu.internal.backend.Interposition;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.protocol.Fences;
import dev.percpu.testing.Jvm;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What becomes visible in the middle of a search of the stacks. A JVM of its own puts it there. */
@Tag("native")
class PoolStepsTest {
    /** A push may be on its way to memory until the heavy fence, although who pushed has seen no search. */
    @Test
    void aSearchFindsWhatTheHeavyFenceMakesVisible() {
        Jvm.Result result =
                new Jvm().option("-Dpercpu.backend=" + PerCpuRuntime.backend()).run(Probe.class);
        assertThat(result.output().strip()).isEqualTo("pushed 0, found 0");
    }

    /** Runs in a JVM of its own. */
    static final class Probe {
        private static Runnable atHeavyFence = () -> {};

        private Probe() {}

        public static void main(String[] arguments) {
            Interposition.install(new Interposition.Interposer() {
                @Override
                public <P> P around(Class<P> protocol, P normal, Function<Sequences, ? extends P> rseq) {
                    return normal instanceof Fences fences ? protocol.cast(new Late(fences)) : normal;
                }
            });
            PooledIds ids = new PooledIds(1, "a pool", PooledIds.LOOK_UNASKED);
            int id = ids.seek() & ~PooledIds.VACANT;
            atHeavyFence = () -> System.out.print("pushed " + (ids.push(id) ? id : "nothing") + ", ");
            System.out.println("found " + ids.seek());
        }

        /** Makes a push visible with the heavy fence, and not before. */
        private record Late(Fences fences) implements Fences {
            @Override
            public void light() {
                fences.light();
            }

            @Override
            public void heavy() {
                atHeavyFence.run();
                fences.heavy();
            }

            @Override
            public boolean isAsymmetric() {
                return fences.isAsymmetric();
            }
        }
    }
}

package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.HotThread;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.internal.backend.Interposition;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.testing.Jvm;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What happens in the middle of a closing. A JVM of its own puts it there, as if the closing thread lost its CPU. */
@Tag("rseq")
class OwnTallyStepsTest {
    @Test
    void aThreadThatGetsItsFirstPlaceDuringAClosingIsInItsSum() {
        Jvm.Result result = new Jvm().option("-Dpercpu.backend=rseq").run(Probe.class);
        assertThat(result.output().strip()).isEqualTo("places 1, added true, sum 1");
    }

    /** Runs in a JVM of its own, in which no thread has had a place yet. */
    static final class Probe {
        private static final Object LOCK = new Object();

        private Probe() {}

        public static void main(String[] arguments) throws InterruptedException {
            boolean[] added = new boolean[1];
            long[] tally = new long[1];
            Interposition.install(new Interposition.Interposer() {
                @Override
                public <P> P around(Class<P> protocol, P normal, Function<Sequences, ? extends P> rseq) {
                    return normal instanceof Tallies tallies
                            ? protocol.cast(
                                    new Late(tallies, () -> added[0] = OwnTallies.addInOwnPlace(tally[0], 1, LOCK)))
                            : normal;
                }
            });
            tally[0] = Area.allocate(OwnTallies.BYTES, Long.BYTES, "OwnTallyStepsTest");
            long sum = OwnTallies.close(tally[0], LOCK);
            System.out.println("places " + OwnPlaces.count() + ", added " + added[0] + ", sum " + sum);
        }
    }

    /** A thread that gets a place does something just before the gate is shut. */
    private record Late(Tallies tallies, Runnable task) implements Tallies {
        @Override
        public boolean add(long position, long delta) {
            return tallies.add(position, delta);
        }

        @Override
        public long close(long position) {
            return tallies.close(position);
        }

        @Override
        public void shut(long position) {
            try {
                HotThread.run(_ -> task.run());
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            tallies.shut(position);
        }

        @Override
        public long take(long position) {
            return tallies.take(position);
        }

        @Override
        public void open(long position) {
            tallies.open(position);
        }
    }
}

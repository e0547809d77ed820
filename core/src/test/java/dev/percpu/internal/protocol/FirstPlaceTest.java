package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.HotThread;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.internal.backend.Interposed;
import dev.percpu.testing.Jvm;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A number that is taken away while the first thread of the process gets a place of its own.
 *
 * <p>Apart from {@link GatedSumsTest}, since it needs a JVM of its own. An emulated machine takes a minute for that,
 * and could show nothing else: the test itself has the two threads meet.
 */
@Tag("rseq")
class FirstPlaceTest {
    /** The thread has seen the gate open, twice: there was no heavy fence yet. */
    @Test
    void aThreadThatGetsItsFirstPlaceDuringATakingIsInItsResult() {
        Jvm.Result result = new Jvm().option("-Dpercpu.backend=rseq").run(FirstPlace.class);
        assertThat(result.output().strip()).isEqualTo("places 1, taken 1.0");
    }

    /** Runs in a JVM of its own, in which no thread has had a place yet. */
    static final class FirstPlace {
        private FirstPlace() {}

        public static void main(String[] arguments) {
            List<BeforeTheFence> made = new ArrayList<>();
            Interposed.replace(Fences.class, fences -> {
                made.add(new BeforeTheFence(fences));
                return made.getLast();
            });
            Object lock = new Object();
            long position = Area.allocate(GatedSums.BYTES, Long.BYTES, "FirstPlaceTest");
            GatedSums.initialize();
            made.getLast().step = () -> {
                try {
                    HotThread.run(
                            own -> Area.LONG.setVolatile(Area.MEMORY, own + position, Double.doubleToRawLongBits(1)));
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            };
            double taken = GatedSums.takeAll(position, lock);
            System.out.println("places " + OwnPlaces.count() + ", taken " + taken);
        }
    }

    /** Does a step just before each heavy fence. */
    private static final class BeforeTheFence implements Fences {
        private final Fences fences;
        private Runnable step = () -> {};

        private BeforeTheFence(Fences fences) {
            this.fences = fences;
        }

        @Override
        public void light() {
            fences.light();
        }

        @Override
        public void heavy() {
            step.run();
            fences.heavy();
        }

        @Override
        public boolean isAsymmetric() {
            return fences.isAsymmetric();
        }
    }
}

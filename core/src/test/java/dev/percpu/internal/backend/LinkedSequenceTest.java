package dev.percpu.internal.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.code.Instrumentation;
import dev.percpu.internal.linux.BoundThread;
import dev.percpu.internal.linux.RseqRegistration;
import dev.percpu.testing.Jvm;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** In a JVM of its own, since one that cannot stop a thread cannot be helped. */
@Tag("rseq")
class LinkedSequenceTest {
    /** Calls a sequence in a loop until C2 has compiled it, while garbage collections stop it again and again. */
    static final class Probe {
        private static final int COLLECTIONS = 20;
        private static final long MILLIS_BETWEEN = 100;

        private Probe() {}

        public static void main(String[] arguments) throws InterruptedException {
            LongConsumer addition = SelfTest.additions(
                    Sequences.emit(RseqRegistration.read(), new Instrumentation(10, 0).unarmed(), SelfTest.SEQUENCES));
            long position = Area.allocate(2L * Long.BYTES, Long.BYTES, "test");
            long stop = Area.offset(Area.SPARE, position + Long.BYTES);
            BoundThread adding = BoundThread.start(BoundThread.ANYWHERE, () -> {
                while ((long) Area.LONG.getOpaque(Area.MEMORY, stop) == 0) {
                    addition.accept(position);
                }
            });
            for (int i = 0; i < COLLECTIONS; i++) {
                Thread.sleep(MILLIS_BETWEEN);
                System.gc();
            }
            Area.LONG.setOpaque(Area.MEMORY, stop, 1L);
            System.out.println("thrown: " + adding.await());
        }
    }

    @Test
    void aLoopThatOnlyCallsASequenceCanBeStopped() {
        assertThat(new Jvm().outputOf(Probe.class)).contains("thrown: null");
    }
}

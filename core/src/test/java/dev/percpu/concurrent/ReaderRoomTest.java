package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.PerCpuRuntime;
import dev.percpu.internal.backend.Interposition;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.protocol.StackRoom;
import dev.percpu.testing.Jvm;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/**
 * A reader that opens a counter for the next has come in before, so it must not fail then: its caller would not unlock,
 * and writers would wait for ever. A JVM of its own has a stack that has room so many times, and then no more.
 */
class ReaderRoomTest {
    @Test
    void aReaderForWhomTheStackHasNoRoomIsNotInside() {
        Jvm.Result result =
                new Jvm().option("-Dpercpu.backend=" + PerCpuRuntime.backend()).run(Probe.class);
        assertThat(result.output().strip()).isEqualTo("8 refused, 10 inside, 10 of them opened a counter");
    }

    /** Runs in a JVM of its own. */
    static final class Probe {
        /** The first reader opens the stripes, and the second one the tally. */
        private static final int READERS = 3;

        /** More than any of them asks. */
        private static final int ROOMS = 3;

        private static int left;

        private Probe() {}

        private interface Way {
            boolean enter(ReaderGate gate) throws InterruptedException;
        }

        public static void main(String[] arguments) throws InterruptedException {
            Interposition.install(new Interposition.Interposer() {
                @Override
                public <P> P around(Class<P> protocol, P normal, Function<Sequences, ? extends P> rseq) {
                    return protocol == StackRoom.class ? protocol.cast((StackRoom) Probe::ensure) : normal;
                }
            });
            int refused = 0;
            int inside = 0;
            int opened = 0;
            for (Way way : new Way[] {ReaderGate::tryEnter, gate -> gate.enter(Patience.UNINTERRUPTIBLE)}) {
                for (int readers = 1; readers <= READERS; readers++) {
                    for (int rooms = 0; rooms < ROOMS; rooms++) {
                        ReaderGate gate = new ReaderGate("a gate", false, new Pace(0, 0));
                        left = Integer.MAX_VALUE;
                        for (int before = 1; before < readers; before++) {
                            enterAndLeave(gate);
                        }
                        left = rooms;
                        boolean entered;
                        try {
                            entered = way.enter(gate);
                            inside++;
                        } catch (StackOverflowError e) {
                            entered = false;
                            refused++;
                        }
                        left = Integer.MAX_VALUE;
                        opened += entered && gate.readersIfKnown() < 0 ? 1 : 0;
                        checkInside(gate, entered);
                    }
                }
            }
            System.out.println(refused + " refused, " + inside + " inside, " + opened + " of them opened a counter");
        }

        private static void enterAndLeave(ReaderGate gate) {
            if (!gate.tryEnter()) {
                throw new AssertionError("the gate is open");
            }
            gate.leave();
        }

        /** A writer finds out. */
        private static void checkInside(ReaderGate gate, boolean expected) throws InterruptedException {
            boolean alone = gate.begin(Patience.NONE) && gate.awaitAlone(Patience.NONE);
            if (alone == expected) {
                System.out.println(expected ? "a reader got lost" : "a reader whose call failed is inside");
            }
        }

        private static void ensure() {
            if (left <= 0) {
                throw new StackOverflowError("injected");
            }
            left--;
        }
    }
}

package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Jvm;
import org.junit.jupiter.api.Test;

/** Whoever found room has it: in a thread with a small stack, at each depth. */
class StackRoomTest {
    @Test
    void whoFoundRoomHasItInTheInterpreter() {
        assertThat(new Jvm().option("-Xint").run(Probe.class).output()).contains("refused, and never in vain");
    }

    @Test
    void andInCompiledCode() {
        assertThat(new Jvm()
                        .option("-Xcomp")
                        .option("-XX:TieredStopAtLevel=1")
                        .run(Probe.class)
                        .output())
                .contains("refused, and never in vain");
    }

    /** In a JVM of its own, since it is about all that the JVM compiles. */
    static final class Probe {
        private static final long STACK_BYTES = 1 << 18;
        private static final int STEPS = 60;

        private static int granted;
        private static int refused;
        private static int inVain;

        private Probe() {}

        public static void main(String[] arguments) throws InterruptedException {
            StackRoom.CURRENT.ensure();
            take(STEPS);
            Thread thread = new Thread(null, Probe::descend, "shallow", STACK_BYTES);
            thread.start();
            thread.join();
            System.out.println(
                    granted > 100 && refused > 10 && inVain == 0
                            ? "refused, and never in vain"
                            : granted + " granted, " + inVain + " of them in vain, " + refused + " refused");
        }

        /** Goes down to the end of the stack, and asks for room at each depth. */
        @SuppressWarnings("InfiniteRecursion") // until the stack ends
        private static void descend() {
            boolean had = false;
            try {
                StackRoom.CURRENT.ensure();
                had = true;
                granted++;
                take(STEPS);
            } catch (StackOverflowError e) {
                if (had) {
                    inVain++;
                } else {
                    refused++;
                }
            }
            try {
                descend();
            } catch (StackOverflowError end) {
                // This is as deep as it gets.
            }
        }

        private static int take(int steps) {
            return steps == 0 ? 0 : 1 + take(steps - 1);
        }
    }
}

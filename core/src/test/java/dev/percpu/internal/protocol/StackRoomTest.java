package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.testing.Jvm;
import dev.percpu.testing.Workers;
import org.junit.jupiter.api.Test;

/** Whoever found room has it. */
class StackRoomTest {
    @Test
    void whoFoundRoomHasItInTheInterpreter() {
        assertThat(Jvm.asHere().option("-Xint").run(Probe.class).output()).contains("refused, and never in vain");
    }

    @Test
    void andInCompiledCode() {
        assertThat(Jvm.asHere()
                        .option("-Xcomp")
                        .option("-XX:TieredStopAtLevel=1")
                        .run(Probe.class)
                        .output())
                .contains("refused, and never in vain");
    }

    /** Its memory was a thread's with a larger stack, of which more lay below the same page. */
    @Test
    void aThreadLooksForItselfWhereAnEarlierOneHadRoom() throws InterruptedException {
        Stack large = new Stack(64 << 10);
        Stack small = new Stack(8 << 10);
        Workers.join(Thread.ofPlatform().start(large::ensure));
        assertThat(large.looks).isGreaterThan(1);
        assertThatThrownBy(small::ensure).isInstanceOf(StackOverflowError.class);
    }

    @Test
    void aThreadThatHadRoomDoesNotLookForItAgain() {
        Stack stack = new Stack(64 << 10);
        stack.ensure();
        stack.looks = 0;
        stack.ensure();
        assertThat(stack.looks).isEqualTo(1);
    }

    /** A stack that begins where all of these do, and ends after so many bytes: each look takes some of it. */
    private static final class Stack {
        private static final long BEGIN = 1L << 46;
        private static final int FRAME = 512;

        private final StackRoom room = new StackRoom.Measured(this::pointer);
        private final int bytes;
        private int used;
        private int looks;

        private Stack(int bytes) {
            this.bytes = bytes;
        }

        private void ensure() {
            used = 0;
            room.ensure();
        }

        private long pointer() {
            looks++;
            used += FRAME;
            if (used > bytes) {
                throw new StackOverflowError("for the test");
            }
            return BEGIN - used;
        }
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

        /** Goes down to the end of a small stack, and asks for room at each depth. */
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

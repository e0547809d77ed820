package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import dev.percpu.testing.Jvm;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * On the atomic back end, a thread that works on a stack of items has it to itself until it is done. If the thread's
 * call stack ends just then, the items are as before. A JVM of its own, interpreted, tries that with each number of
 * frames that are left. The other operation has been used before. So the JVM has linked the first step of this one, and
 * not yet the next: with many of these numbers of frames the first step succeeds, and the next one fails.
 */
@Tag("once")
class StacksTest {
    @Test
    void aPushThatTheStackBreaksOffPushesNothing() {
        assertThat(output("push")).isEqualTo("broken off, and as before; then done, and exact");
    }

    @Test
    void aPopThatTheStackBreaksOffPopsNothing() {
        assertThat(output("pop")).isEqualTo("broken off, and as before; then done, and exact");
    }

    private static String output(String operation) {
        return new Jvm()
                .option("-Dpercpu.backend=atomic")
                .option("-Xint")
                .run(Probe.class, operation)
                .output()
                .strip();
    }

    static final class Probe {
        private static final long CAPACITY = 3;
        private static final long FIRST = 5;
        private static final long SECOND = 7;
        private static final int CPU = 0;
        private static final long STACK_BYTES = 1 << 18;

        /** Of one sweep; the first one links what the operation needs. */
        private static final int MOST_FRAMES = 300;

        private static final int SWEEPS = 2;

        private final Stacks stacks = new Stacks.Atomic(() -> CPU);
        private final long position = Area.allocate(Stacks.bytes((int) CAPACITY), Long.BYTES, "a stack");
        private final boolean pushes;
        private int frames;
        private boolean brokenOff;
        private int timesBrokenOff;

        private Probe(boolean pushes) {
            this.pushes = pushes;
        }

        public static void main(String[] arguments) throws InterruptedException {
            Probe probe = new Probe(arguments[0].equals("push"));
            Thread thread = new Thread(null, probe::run, "shallow", STACK_BYTES);
            thread.start();
            thread.join();
        }

        private void run() {
            long offset = Area.offset(CPU, position);
            Area.LONG.set(Area.MEMORY, offset + Long.BYTES, FIRST);
            Area.LONG.set(Area.MEMORY, offset + 2 * Long.BYTES, SECOND);
            Area.LONG.setVolatile(Area.MEMORY, offset, pushes ? 2L : 0L);
            // The other operation, which links its steps.
            undo();
            for (int sweep = 0; sweep < SWEEPS; sweep++) {
                for (frames = 0; frames < MOST_FRAMES; frames++) {
                    int _ = descend();
                    long count = Stacks.count(CPU, position);
                    if (brokenOff) {
                        timesBrokenOff++;
                        check(count == 1, "not as before");
                    } else {
                        check(count == (pushes ? 2 : 0), "not done");
                        undo();
                    }
                }
            }
            System.out.println((timesBrokenOff > 0 ? "broken off, and as before; " : "never broken off; ")
                    + (brokenOff ? "never done" : "then done, and exact"));
        }

        private void operate() {
            check(pushes ? push(SECOND) : pops(FIRST), "refused");
        }

        private void undo() {
            check(pushes ? pops(SECOND) : push(FIRST), "not undone");
        }

        private boolean push(long item) {
            return stacks.push(position, item, CAPACITY);
        }

        private boolean pops(long item) {
            return stacks.pop(position) == item;
        }

        private void check(boolean holds, String otherwise) {
            if (!holds) {
                throw new AssertionError(
                        otherwise + " with " + frames + " frames left: the count is " + Stacks.count(CPU, position));
            }
        }

        /** Calls itself until the stack is full, and the operation on the way back; returns how many were below. */
        @SuppressWarnings("InfiniteRecursion") // until the stack ends
        private int descend() {
            int below;
            try {
                below = descend() + 1;
            } catch (StackOverflowError end) {
                below = 0;
            }
            if (below == frames) {
                brokenOff = true;
                try {
                    operate();
                    brokenOff = false;
                } catch (StackOverflowError end) {
                    // Expected with few frames.
                }
            }
            return below;
        }
    }
}

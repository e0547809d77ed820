package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.HotThread;
import dev.percpu.testing.Jvm;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * In its own place a thread may be broken off after its store, if another thread closes the tally at that moment. Then
 * nobody knows the count. Whoever relies on it is told, and does not wait for ever. In a JVM of its own, interpreted,
 * since there the steps after the store take more of the stack than those before it.
 */
@Tag("rseq")
class BrokenAdditionTest {
    @Test
    void aWriterIsToldThatNobodyKnowsTheReaders() {
        assertThat(output(Reading.class)).contains("nobody can say whether readers are inside");
    }

    @Test
    void aKillIsToldThatNobodyKnowsTheReferences() {
        assertThat(output(Referring.class)).contains("nobody can say how many there are");
    }

    @Test
    void whoWaitsForZeroIsToldThatNobodyKnowsTheReferences() {
        assertThat(output(Awaiting.class)).contains("nobody can say how many there are");
    }

    private static String output(Class<?> main) {
        return new Jvm()
                .option("-Dpercpu.backend=rseq")
                .option("-Xint")
                .option("-Xss256k")
                .run(main)
                .output();
    }

    /** Calls something near the end of the stack again and again, until another thread is told. */
    abstract static class Probe {
        private static final int DEPTHS = 40;

        private final AtomicBoolean told = new AtomicBoolean();
        private int deepest;

        private boolean inside;

        /** Has the tally open, if it is closed. */
        abstract void open();

        /** Comes in, at the end of the stack; false if that is impossible just now. */
        abstract boolean enter();

        /** Goes out, with enough stack. */
        abstract void leave();

        /** Closes the tally. */
        abstract void close() throws InterruptedException;

        final void run() throws InterruptedException {
            Thread closing = Thread.ofPlatform().start(() -> {
                try {
                    while (true) {
                        close();
                    }
                } catch (IllegalStateException | IllegalMonitorStateException e) {
                    System.out.println(e.getMessage());
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                } finally {
                    told.set(true);
                }
            });
            HotThread.run(_ -> {
                // Until the stack ends, and so without coming in.
                down(1, Integer.MAX_VALUE);
                int bottom = deepest;
                while (!told.get()) {
                    for (int depth = bottom - DEPTHS; depth <= bottom; depth++) {
                        open();
                        down(1, depth);
                        if (inside) {
                            inside = false;
                            leave();
                        }
                    }
                }
            });
            closing.join();
        }

        private void down(int depth, int goal) {
            deepest = Math.max(deepest, depth);
            try {
                if (depth < goal) {
                    down(depth + 1, goal);
                } else {
                    inside = enter();
                }
            } catch (StackOverflowError e) {
                // Expected at most depths.
            }
        }
    }

    /** Runs in a JVM of its own. */
    static final class Reading extends Probe {
        private static final int UNTIL_OPEN = 4;

        private final ReaderDoor door = new ReaderDoor("a lock", false, new Pace(0, 0));

        public static void main(String[] arguments) throws InterruptedException {
            new Reading().run();
        }

        @Override
        void open() {
            for (int i = 0; i < UNTIL_OPEN; i++) {
                if (door.tryEnter()) {
                    door.leave();
                }
            }
        }

        @Override
        boolean enter() {
            return door.tryEnter();
        }

        @Override
        void leave() {
            door.leave();
        }

        @Override
        void close() throws InterruptedException {
            TimeUnit.MICROSECONDS.sleep(100);
            try {
                if (door.tryBegin()) {
                    boolean _ = door.awaitAlone(Patience.UNINTERRUPTIBLE);
                }
            } finally {
                door.open();
            }
        }
    }

    /** Runs in a JVM of its own. */
    static class Referring extends Probe {
        private final PerCpuRef ref = new PerCpuRef(() -> {});

        public static void main(String[] arguments) throws InterruptedException {
            new Referring().run();
        }

        @Override
        void open() {
            // It is open unless it is killed.
        }

        @Override
        boolean enter() {
            return ref.tryGet();
        }

        @Override
        void leave() {
            ref.put();
        }

        @Override
        void close() throws InterruptedException {
            kill(ref);
            if (!ref.resurrect()) {
                ref.reinit();
            }
        }

        void kill(PerCpuRef ref) throws InterruptedException {
            boolean _ = ref.kill();
        }
    }

    /** Runs in a JVM of its own. */
    static final class Awaiting extends Referring {
        public static void main(String[] arguments) throws InterruptedException {
            new Awaiting().run();
        }

        @Override
        void kill(PerCpuRef ref) throws InterruptedException {
            if (!ref.killAndAwait(20, TimeUnit.SECONDS)) {
                throw new IllegalStateException("waited in vain");
            }
        }
    }
}

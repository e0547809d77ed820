package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.HotThread;
import dev.percpu.testing.Jvm;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
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

    /** A caller whose unlock failed unlocks again, but the first one had counted. */
    @Test
    void noWriterComesInBesideAReaderBecauseAnotherOneLeftTwice() {
        assertThat(output(Leaving.class))
                .containsAnyOf("nobody can say whether readers are inside", NEVER)
                .doesNotContain("beside");
    }

    /** The same with a put. */
    @Test
    void nothingIsReleasedBesideAReferenceBecauseAnotherOneWasGivenBackTwice() {
        assertThat(output(Putting.class))
                .containsAnyOf("nobody can say how many there are", NEVER)
                .doesNotContain("beside");
    }

    @Test
    void aKillIsToldThatNobodyKnowsTheReferences() {
        assertThat(output(Referring.class)).contains("nobody can say how many there are");
    }

    @Test
    void whoWaitsForZeroIsToldThatNobodyKnowsTheReferences() {
        assertThat(output(Awaiting.class)).contains("nobody can say how many there are");
    }

    /** Within this time a call is nearly always broken off; a test that goes on for so long passes. */
    private static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(20);

    private static final String NEVER = "no call was broken off";

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

        private final AtomicBoolean over = new AtomicBoolean();
        private int deepest;

        private boolean done;

        /** Has the tally open, if it is closed. */
        abstract void before();

        /** Comes in or goes out, at the end of the stack; false if that is impossible just now. */
        abstract boolean step();

        /** Goes out, with enough stack, if that is still to be done. */
        abstract void after(boolean done);

        /** Closes the tally. */
        abstract void close() throws InterruptedException;

        final void run() throws InterruptedException {
            run(Long.MAX_VALUE);
        }

        /** Ends after so many nanoseconds, if nobody was told. */
        final void run(long most) throws InterruptedException {
            long start = System.nanoTime();
            Thread closing = Thread.ofPlatform().daemon().start(() -> {
                try {
                    while (!over.get()) {
                        close();
                    }
                } catch (IllegalStateException | IllegalMonitorStateException e) {
                    System.out.println(e.getMessage());
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                } finally {
                    over.set(true);
                }
            });
            HotThread.run(_ -> {
                // Until the stack ends, and so without a step.
                down(1, Integer.MAX_VALUE);
                int bottom = deepest;
                while (!over.get()) {
                    for (int depth = bottom - DEPTHS; depth <= bottom; depth++) {
                        before();
                        done = false;
                        down(1, depth);
                        after(done);
                    }
                    if (System.nanoTime() - start > most && over.compareAndSet(false, true)) {
                        System.out.println(NEVER);
                    }
                }
            });
            closing.join();
        }

        final boolean isOver() {
            return over.get();
        }

        private void down(int depth, int goal) {
            deepest = Math.max(deepest, depth);
            try {
                if (depth < goal) {
                    down(depth + 1, goal);
                } else {
                    done = step();
                }
            } catch (StackOverflowError e) {
                // Expected at most depths.
            }
        }
    }

    /** Runs in a JVM of its own. */
    static class Reading extends Probe {
        private static final int UNTIL_OPEN = 4;

        final ReaderDoor door = new ReaderDoor("a lock", false, new ReaderThresholds(0, 0));

        public static void main(String[] arguments) throws InterruptedException {
            new Reading().run();
        }

        @Override
        void before() {
            for (int i = 0; i < UNTIL_OPEN; i++) {
                if (door.tryEnter()) {
                    door.leave();
                }
            }
        }

        @Override
        boolean step() {
            return door.tryEnter();
        }

        @Override
        void after(boolean done) {
            if (done) {
                door.leave();
            }
        }

        @Override
        void close() throws InterruptedException {
            TimeUnit.MICROSECONDS.sleep(100);
            try {
                if (door.tryBeginShutting()) {
                    boolean _ = door.awaitAlone(WaitPolicy.UNINTERRUPTIBLE);
                }
            } finally {
                door.open();
            }
        }
    }

    /** Runs in a JVM of its own. Another reader is inside all the time. */
    static final class Leaving extends Reading {
        private final Lock write = new PerCpuReadWriteLock(door).writeLock();

        public static void main(String[] arguments) throws InterruptedException {
            Leaving leaving = new Leaving();
            boolean _ = leaving.door.tryEnter();
            leaving.run(MOST_NANOS);
        }

        @Override
        void before() {
            super.before();
            while (!door.tryEnter()) {
                Thread.onSpinWait();
            }
        }

        @Override
        boolean step() {
            door.leave();
            return true;
        }

        /** The writer can notice that it went out twice before it opens the tally again. */
        @Override
        void after(boolean done) {
            if (!done) {
                door.leave();
                while (door.readersIfKnown() != 1 && !isOver()) {
                    Thread.onSpinWait();
                }
            }
        }

        @Override
        void close() throws InterruptedException {
            TimeUnit.MICROSECONDS.sleep(100);
            if (write.tryLock(50, TimeUnit.MICROSECONDS)) {
                write.unlock();
                throw new IllegalStateException("a writer came in beside a reader");
            }
        }
    }

    /** Runs in a JVM of its own. */
    static class Referring extends Probe {
        final PerCpuRef ref = new PerCpuRef(this::release);

        public static void main(String[] arguments) throws InterruptedException {
            new Referring().run();
        }

        @Override
        void before() {
            // It is open unless it is killed.
        }

        @Override
        boolean step() {
            return ref.tryGet();
        }

        @Override
        void after(boolean done) {
            if (done) {
                ref.put();
            }
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

        void release() {
            // Nothing is to be done.
        }
    }

    /** Runs in a JVM of its own. Another reference is held all the time. */
    static final class Putting extends Referring {
        /** How many calls are over, some with a second put. */
        private final AtomicInteger puts = new AtomicInteger();

        public static void main(String[] arguments) throws InterruptedException {
            Putting putting = new Putting();
            putting.ref.get();
            putting.run(MOST_NANOS);
        }

        @Override
        void before() {
            while (!ref.tryGet() && !isOver()) {
                Thread.onSpinWait();
            }
        }

        @Override
        boolean step() {
            ref.put();
            return true;
        }

        @Override
        void after(boolean done) {
            if (!done) {
                try {
                    ref.put();
                } catch (IllegalStateException e) {
                    System.out.println(e.getMessage());
                }
            }
            puts.incrementAndGet();
        }

        /** A put that failed is repeated before the ref is live again. */
        @Override
        void kill(PerCpuRef ref) throws InterruptedException {
            TimeUnit.MICROSECONDS.sleep(100);
            super.kill(ref);
            int before = puts.get();
            while (puts.get() == before && !isOver()) {
                Thread.onSpinWait();
            }
        }

        @Override
        void release() {
            System.out.println("released beside a reference");
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

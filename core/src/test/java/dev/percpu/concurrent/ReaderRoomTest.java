package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.backend.Interposed;
import dev.percpu.internal.protocol.StackRoom;
import dev.percpu.testing.Jvm;
import org.junit.jupiter.api.Test;

/**
 * A reader that opens a counter for the next has come in before, so it must not fail then: its caller would not unlock,
 * and writers would wait for ever. A JVM of its own has a stack that has room so many times, and then no more.
 */
class ReaderRoomTest {
    @Test
    void aReaderForWhomTheStackHasNoRoomIsNotInside() {
        Jvm.Result result = Jvm.asHere().run(Probe.class);
        assertThat(result.output().strip()).isEqualTo("8 refused, 10 inside, 10 of them opened a counter");
    }

    /** The last reader, for whom a writer waits, has no room to wake it. */
    @Test
    void inCheckedModeAnUnlockThatFailsCanBeRepeated() {
        Jvm.Result result = Jvm.asHere().option("-Dpercpu.checked=true").run(CheckedProbe.class);
        assertThat(result.output().strip()).isEqualTo("unlocked after 2 failures, and 1 after that");
    }

    /** The stack as each JVM has it: its main thread asks for room as often as it is left. */
    private static final class Limited {
        private static final Thread MAIN = Thread.currentThread();

        private static int left = Integer.MAX_VALUE;

        private Limited() {}

        static void install() {
            Interposed.replace(StackRoom.class, _ -> Limited::ensure);
        }

        private static void ensure() {
            if (Thread.currentThread() == MAIN && left-- <= 0) {
                left = 0;
                throw new StackOverflowError("injected");
            }
        }
    }

    /** Runs in a JVM of its own. */
    @SuppressWarnings("LockNotBeforeTry") // that they fail is what happens
    static final class CheckedProbe {
        private CheckedProbe() {}

        public static void main(String[] arguments) throws InterruptedException {
            Limited.install();
            PerCpuReadWriteLock lock = new PerCpuReadWriteLock();
            int failures = 0;
            int failuresOfOthers = 0;
            lock.readLock().lock();
            Thread writer = startWriter(lock);
            while (!unlocks(lock, failures)) {
                failures++;
            }
            writer.join();
            // And so it does if another thread has locked.
            Thread reader = new Thread(lock.readLock()::lock);
            reader.start();
            reader.join();
            writer = startWriter(lock);
            if (!unlocks(lock, 1)) {
                failuresOfOthers++;
                lock.readLock().unlock();
            }
            writer.join();
            System.out.println("unlocked after " + failures + " failures, and " + failuresOfOthers + " after that");
        }

        private static Thread startWriter(PerCpuReadWriteLock lock) throws InterruptedException {
            Thread writer = new Thread(() -> {
                lock.writeLock().lock();
                lock.writeLock().unlock();
            });
            writer.setDaemon(true);
            writer.start();
            while (writer.getState() != Thread.State.WAITING && writer.getState() != Thread.State.TIMED_WAITING) {
                Thread.sleep(1);
            }
            return writer;
        }

        private static boolean unlocks(PerCpuReadWriteLock lock, int rooms) {
            Limited.left = rooms;
            try {
                lock.readLock().unlock();
                return true;
            } catch (StackOverflowError e) {
                return false;
            } finally {
                Limited.left = Integer.MAX_VALUE;
            }
        }
    }

    /** Runs in a JVM of its own. */
    static final class Probe {
        /** The first reader opens the stripes, and the second one the tally. */
        private static final int READERS = 3;

        /** More than any of them asks. */
        private static final int ROOMS = 3;

        private Probe() {}

        private interface Way {
            boolean enter(ReaderDoor door) throws InterruptedException;
        }

        public static void main(String[] arguments) throws InterruptedException {
            Limited.install();
            int refused = 0;
            int inside = 0;
            int opened = 0;
            for (Way way : new Way[] {ReaderDoor::tryEnter, door -> door.enter(WaitPolicy.UNINTERRUPTIBLE)}) {
                for (int readers = 1; readers <= READERS; readers++) {
                    for (int rooms = 0; rooms < ROOMS; rooms++) {
                        ReaderDoor door = new ReaderDoor("a door", false, new ReaderThresholds(0, 0));
                        Limited.left = Integer.MAX_VALUE;
                        for (int before = 1; before < readers; before++) {
                            enterAndLeave(door);
                        }
                        Limited.left = rooms;
                        boolean entered;
                        try {
                            entered = way.enter(door);
                            inside++;
                        } catch (StackOverflowError e) {
                            entered = false;
                            refused++;
                        }
                        Limited.left = Integer.MAX_VALUE;
                        opened += entered && door.readersIfKnown() < 0 ? 1 : 0;
                        checkInside(door, entered);
                    }
                }
            }
            System.out.println(refused + " refused, " + inside + " inside, " + opened + " of them opened a counter");
        }

        private static void enterAndLeave(ReaderDoor door) {
            if (!door.tryEnter()) {
                throw new AssertionError("the door is open");
            }
            door.leave();
        }

        /** A writer finds out. */
        private static void checkInside(ReaderDoor door, boolean expected) throws InterruptedException {
            boolean alone = door.beginShutting(WaitPolicy.NONE) && door.awaitAlone(WaitPolicy.NONE);
            if (alone == expected) {
                System.out.println(expected ? "a reader got lost" : "a reader whose call failed is inside");
            }
        }
    }
}

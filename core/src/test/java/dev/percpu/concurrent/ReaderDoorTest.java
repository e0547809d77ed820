package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.percpu.internal.linux.LinuxException;
import dev.percpu.internal.protocol.Tally;
import dev.percpu.testing.Machine.Call;
import dev.percpu.testing.Seccomp;
import dev.percpu.testing.Workers;
import java.lang.reflect.Field;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Who is woken and who is inside, also after an error in a reader's wait or unlock. The time limit ends a wait for
 * ever.
 *
 * <p>This file is longer than others: each test leads threads to one moment between two steps.
 */
class ReaderDoorTest {
    private static final int EPERM = 1;

    /** Waits until it is woken. The lock's own threads look again from time to time. */
    @SuppressWarnings("WaitNotInLoop") // the loop is the door's
    private static final Waiting FOR_EVER = new Waiting(condition -> {
        condition.awaitUninterruptibly();
        return true;
    });

    private final ReaderDoor door = new ReaderDoor("a door", true, new ReaderThresholds(0, 0));

    @Test
    void theLastReaderWakesTheWriterThatWaitsForIt() throws InterruptedException {
        assertThat(door.tryEnter()).isTrue();
        assertThat(door.tryEnter()).isTrue();
        Thread writer = Thread.ofPlatform().start(this::shut);
        awaitWaiting(1);
        awaitWaiting(writer);
        door.leave();
        assertThat(door.isAlone()).isFalse();
        door.leave();
        Workers.join(writer);
        assertThat(door.isAlone()).isTrue();
        door.open();
    }

    @Test
    void aWriterWhoseTimeRunsOutAsTheLastReaderLeavesIsAlone() throws InterruptedException {
        assertThat(door.tryEnter()).isTrue();
        assertThat(door.tryBeginShutting()).isTrue();
        WaitPolicy runningOut = new Waiting(_ -> {
            door.leave();
            return false;
        });
        assertThat(door.awaitAlone(runningOut)).isTrue();
        door.open();
    }

    @Test
    void allReadersThatWaitAreWoken() throws InterruptedException {
        shut();
        Thread[] readers = new Thread[3];
        for (int i = 0; i < readers.length; i++) {
            readers[i] = Thread.ofPlatform().start(() -> {
                try {
                    assertThat(door.enter(FOR_EVER)).isTrue();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            awaitWaiting(i + 1L);
        }
        door.open();
        Workers.join(readers);
        assertThat(door.readersIfKnown()).isEqualTo(readers.length);
    }

    /** As after a wait for a condition that an error ended: the thread has its holds, but readers may be inside. */
    @Test
    void aThreadWithHoldsThatIsNotAloneKeepsThemAndWaitsForTheReaders() throws InterruptedException {
        WriteLock lock = new WriteLock(door);
        assertThat(door.tryEnter()).isTrue();
        assertThat(door.tryBeginShutting()).isTrue();
        lock.holds = 1;
        assertThat(lock.tryLock()).isFalse();
        assertThat(lock.holdCount()).isOne();
        door.leave();
        assertThat(lock.tryLock()).isTrue();
        assertThat(lock.holdCount()).isEqualTo(2);
        lock.unlock();
        lock.unlock();
        assertThat(door.tryEnter()).isTrue();
    }

    @Test
    void aWriterThatWaitsForAnotherIsWoken() throws InterruptedException {
        shut();
        Thread writer = Thread.ofPlatform().start(this::shut);
        awaitWaiting(writer);
        door.open();
        Workers.join(writer);
        assertThat(door.isAlone()).isTrue();
        door.open();
    }

    /** Two threads take themselves for the last reader: one of them never came in. Both have looked by then. */
    @Test
    void oneOfTwoThatLeaveAsTheLastReaderIsRefused() throws InterruptedException {
        assertThat(door.tryEnter()).isTrue();
        Thread writer = Thread.ofPlatform().start(this::shut);
        // It has the mutex then, and gives it up as it waits.
        while ((door.word & ReaderDoor.WAITERS) == 0) {
            Thread.sleep(1);
        }
        Throwable[] endings = new Throwable[2];
        Thread[] leaving = new Thread[2];
        door.mutex.lock();
        try {
            for (int i = 0; i < leaving.length; i++) {
                int index = i;
                leaving[i] = Thread.ofPlatform().start(() -> endings[index] = catchThrowable(door::leave));
                while (!door.mutex.hasQueuedThread(leaving[i])) {
                    Thread.sleep(1);
                }
            }
        } finally {
            door.mutex.unlock();
        }
        Workers.join(leaving[0], leaving[1], writer);
        assertThat(endings).containsOnlyOnce((Throwable) null);
        assertThat(endings).hasAtLeastOneElementOfType(IllegalMonitorStateException.class);
        assertThat(door.isAlone()).isTrue();
        door.open();
    }

    @Test
    void aWriterThatHasWaitedIsNotAloneIfNobodyKnowsTheCountByThen() throws Exception {
        assertThat(door.tryEnter()).isTrue();
        Throwable[] ending = new Throwable[1];
        Thread writer = Thread.ofPlatform().start(() -> ending[0] = catchThrowable(this::shut));
        awaitWaiting(1);
        awaitWaiting(writer);
        breakOffAnAddition();
        door.leave();
        Workers.join(writer);
        assertThat(ending[0]).hasMessageContaining("nobody can say whether readers are inside");
        assertThat(door.isAlone()).isFalse();
        door.open();
    }

    /** Nobody would wake it. */
    @Test
    void aWriterDoesNotWaitAgainOnceNobodyKnowsTheCount() {
        assertThat(door.tryEnter()).isTrue();
        assertThat(door.tryBeginShutting()).isTrue();
        boolean[] broken = new boolean[1];
        WaitPolicy waiting = new Waiting(_ -> {
            assertThat(broken[0]).as("waits again").isFalse();
            broken[0] = true;
            try {
                breakOffAnAddition();
            } catch (ReflectiveOperationException e) {
                throw new LinkageError("the fields have other names", e);
            }
            return true;
        });
        assertThatThrownBy(() -> door.awaitAlone(waiting)).hasMessageContaining("nobody can say whether readers");
        door.open();
    }

    @Test
    void noWriterComesInAtOnceIfNobodyKnowsTheCount() throws Exception {
        breakOffAnAddition();
        assertThat(door.tryShutAtOnce()).isFalse();
    }

    /** Leaves the tally as an error does that comes between two steps of an addition in an own place. */
    private void breakOffAnAddition() throws ReflectiveOperationException {
        Field tally = ReadersInside.class.getDeclaredField("tally");
        Field unknown = Tally.class.getDeclaredField("unknown");
        tally.setAccessible(true);
        unknown.setAccessible(true);
        unknown.setBoolean(tally.get(door), true);
    }

    /** The next writer waits for a reader that was let in, and that reader's wait then ends with an error. */
    @Test
    void aReaderThatFailsAfterItWasLetInWakesTheWriterThatWaitsForIt() throws InterruptedException {
        CountDownLatch secondWriterWaits = new CountDownLatch(1);
        shut();
        WaitPolicy failing = new Waiting(condition -> {
            // Gives up the mutex each time, so that the writers can do their part before the reader notices.
            while (secondWriterWaits.getCount() > 0) {
                long _ = condition.awaitNanos(TimeUnit.MILLISECONDS.toNanos(1));
            }
            throw new StackOverflowError("injected");
        });
        Throwable[] ending = new Throwable[1];
        Thread reader = Thread.ofPlatform().start(() -> ending[0] = catchThrowable(() -> door.enter(failing)));
        awaitWaiting(1);
        door.open();
        Thread writer = Thread.ofPlatform().start(this::shut);
        awaitWaiting(1);
        secondWriterWaits.countDown();
        Workers.join(reader, writer);
        assertThat(ending[0]).isInstanceOf(StackOverflowError.class);
        assertThat(door.isAlone()).isTrue();
        door.open();
    }

    /** A reader whose time runs out just after it was let in is inside, and so is one that is interrupted then. */
    @Test
    void aReaderThatWasLetInIsInsideHoweverItsWaitEnds() throws InterruptedException {
        for (boolean interrupted : new boolean[] {false, true}) {
            shut();
            boolean[] inside = new boolean[1];
            boolean[] flag = new boolean[1];
            WaitPolicy ending = new Waiting(condition -> {
                condition.awaitUninterruptibly();
                if (interrupted) {
                    throw new InterruptedException();
                }
                return false;
            });
            Thread reader = Thread.ofPlatform().start(() -> {
                try {
                    inside[0] = door.enter(ending);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                flag[0] = Thread.interrupted();
            });
            awaitWaiting(1);
            door.open();
            Workers.join(reader);
            assertThat(inside[0]).isTrue();
            assertThat(flag[0]).isEqualTo(interrupted);
            assertThat(door.readersIfKnown()).isOne();
            door.leave();
        }
    }

    /** A reader whose wait ends before it was let in is counted nowhere. */
    @Test
    void aReaderThatFailsBeforeItWasLetInIsNotCounted() throws InterruptedException {
        shut();
        for (WaitPolicy policy : List.of(WaitPolicy.NONE, WaitPolicy.ofNanos(1000))) {
            assertThat(door.enter(policy)).isFalse();
            assertThat(door.waiting()).isZero();
        }
        WaitPolicy overflowing = new Waiting(_ -> {
            throw new StackOverflowError("injected");
        });
        assertThatThrownBy(() -> door.enter(overflowing)).isInstanceOf(StackOverflowError.class);
        assertThat(door.waiting()).isZero();
        WaitPolicy interrupted = new Waiting(_ -> {
            throw new InterruptedException("injected");
        });
        assertThatThrownBy(() -> door.enter(interrupted)).isInstanceOf(InterruptedException.class);
        assertThat(door.waiting()).isZero();
        door.open();
        shut();
        assertThat(door.readersIfKnown()).isZero();
        door.open();
        assertThat(door.readersIfKnown()).isZero();
    }

    /** The counter through which it came in may be closed by then, and not yet be in the word. */
    @Test
    void aReaderThatCameInThroughACounterMayLeaveThroughTheWord() throws InterruptedException {
        while (door.readersIfKnown() >= 0) {
            assertThat(door.tryEnter()).isTrue();
            door.leaveCentrally();
        }
        assertThat(door.tryEnter()).isTrue();
        door.leaveCentrally();
        shut();
        assertThat(door.readersIfKnown()).isZero();
        door.open();
    }

    /** If a writer left one of them closed for good, all later readers would change the same number. */
    @Test
    void readersOpenTheCountersAgainAfterAWriter() throws InterruptedException {
        for (int i = 0; i < 3; i++) {
            openTally();
            shut();
            assertThat(door.readersIfKnown()).isZero();
            door.open();
        }
    }

    /** Readers come in and leave, and open the stripes and the tally. Nothing is left in any of the counters. */
    private void openTally() {
        assertThat(door.tryEnter()).isTrue();
        door.leave();
        assertThat(door.tryEnter()).isTrue();
        door.leaveCentrally();
        assertThat(door.readersIfKnown()).isNegative();
    }

    /** The tally still has readers, and the next writer must not be alone with them. */
    @Test
    @Tag("rseq")
    @Tag("native")
    void whatTheKernelKeptAWriterFromClosingIsClosedByTheNext() throws InterruptedException {
        openTally();
        assertThat(door.tryEnter()).isTrue();
        Workers.run("refused-", 1, _ -> {
            Seccomp.refuse(Call.MEMBARRIER, EPERM);
            assertThat(door.tryBeginShutting()).isTrue();
            assertThatThrownBy(() -> door.awaitAlone(WaitPolicy.NONE)).isInstanceOf(LinuxException.class);
            door.open();
        });
        assertThat(door.tryBeginShutting()).isTrue();
        assertThat(door.awaitAlone(WaitPolicy.NONE)).isFalse();
        assertThat(door.readersIfKnown()).isOne();
        door.open();
        door.leave();
    }

    /** Writers pass over a reader, but not for ever. */
    @Test
    void aReaderThatWaitsLongIsLetInBeforeTheNextWriter() throws Exception {
        while (!isPassedOverOnce()) {
            // The reader lost its processor on the way to its first wait, for so long that it insisted from the start.
        }
    }

    @SuppressWarnings("WaitNotInLoop") // the loop is the door's
    private static boolean isPassedOverOnce() throws Exception {
        ReaderDoor unfair = new ReaderDoor("a door", false, new ReaderThresholds(0, 0));
        AtomicInteger waits = new AtomicInteger();
        assertThat(unfair.tryShutAtOnce()).isTrue();
        Thread reader = Thread.ofPlatform().start(() -> {
            try {
                assertThat(unfair.enter(new Waiting(condition -> {
                            waits.incrementAndGet();
                            condition.awaitUninterruptibly();
                            return true;
                        })))
                        .isTrue();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            unfair.leave();
        });
        awaitWaits(waits, 1);
        if (insisting(unfair) > 0) {
            unfair.open();
            Workers.join(reader);
            return false;
        }
        // Long enough for the reader to insist once it is passed over.
        Thread.sleep(10);
        openAndBeginAgain(unfair);
        assertThat(unfair.readersIfKnown()).isZero();
        awaitWaits(waits, 2);
        openAndBeginAgain(unfair);
        // The reader is inside, though it has not woken up.
        assertThat(waits).hasValue(2);
        assertThat(unfair.awaitAlone(WaitPolicy.UNINTERRUPTIBLE)).isTrue();
        Workers.join(reader);
        unfair.open();
        return true;
    }

    /** If it went on, each writer would wait for readers that have not woken up, although the lock is not fair. */
    @Test
    void nobodyInsistsOnceThatReaderIsGone() throws Exception {
        for (boolean givesUp : new boolean[] {true, false}) {
            ReaderDoor unfair = new ReaderDoor("a door", false, new ReaderThresholds(0, 0));
            AtomicInteger waits = new AtomicInteger();
            assertThat(unfair.tryShutAtOnce()).isTrue();
            // With the mutex, which keeps the writer out until the reader really waits.
            WaitPolicy policy = new Waiting(condition -> {
                if (waits.incrementAndGet() == 1) {
                    Thread.sleep(2);
                    return true;
                }
                if (!givesUp) {
                    condition.awaitUninterruptibly();
                }
                return !givesUp;
            });
            boolean[] entered = {givesUp};
            Thread reader = Thread.ofPlatform().start(() -> {
                try {
                    entered[0] = unfair.enter(policy);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            awaitWaits(waits, 2);
            if (!givesUp) {
                unfair.open();
            }
            Workers.join(reader);
            assertThat(entered[0]).isNotEqualTo(givesUp);
            assertThat(waits).hasValue(2);
            assertThat(insisting(unfair)).isZero();
        }
    }

    /** How many readers do not let a writer pass. */
    private static long insisting(ReaderDoor door) throws ReflectiveOperationException {
        Field insisting = ReaderDoor.class.getDeclaredField("insisting");
        insisting.setAccessible(true);
        return insisting.getLong(door);
    }

    /** Another writer comes before any thread that waits has woken up, as that needs the mutex first. */
    private static void openAndBeginAgain(ReaderDoor door) {
        door.mutex.lock();
        try {
            door.open();
            assertThat(door.tryBeginShutting()).isTrue();
        } finally {
            door.mutex.unlock();
        }
    }

    private static void awaitWaits(AtomicInteger waits, int expected) throws InterruptedException {
        while (waits.get() < expected) {
            Thread.sleep(1);
        }
    }

    /** What a test does in place of a wait. */
    @FunctionalInterface
    private interface Wait {
        boolean await(Condition condition) throws InterruptedException;
    }

    /** A policy that waits on conditions only. */
    private static final class Waiting extends WaitPolicy {
        private final Wait wait;

        Waiting(Wait wait) {
            super(Long.MAX_VALUE, true);
            this.wait = wait;
        }

        @Override
        boolean await(Condition condition, long most, String label) throws InterruptedException {
            return wait.await(condition);
        }

        @Override
        boolean lock(Lock line, String label) {
            throw new AssertionError("there is no line");
        }
    }

    private void shut() {
        try {
            assertThat(door.beginShutting(FOR_EVER)).isTrue();
            assertThat(door.awaitAlone(FOR_EVER)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void awaitWaiting(Thread thread) throws InterruptedException {
        while (thread.getState() != Thread.State.WAITING) {
            Thread.sleep(1);
        }
    }

    private void awaitWaiting(long threads) throws InterruptedException {
        while (door.waiting() < threads) {
            Thread.sleep(1);
        }
    }
}

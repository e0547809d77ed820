package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.testing.Workers;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who waits, for whom, and who gives up. The time limit ends a wait for ever. */
@SuppressWarnings("LockNotBeforeTry") // a failed test leaves its lock to no other
@ParameterizedClass
@EnumSource
class PerCpuReadWriteLockWaitingTest extends ReadWriteLockFixture {
    /** Ways to lock that an interrupt ends. */
    enum Interruptible {
        FOREVER {
            @Override
            void lock(Lock lock) throws InterruptedException {
                lock.lockInterruptibly();
            }
        },
        FOR_A_DAY {
            @Override
            void lock(Lock lock) throws InterruptedException {
                assertThat(lock.tryLock(1, TimeUnit.DAYS)).isTrue();
            }
        };

        abstract void lock(Lock lock) throws InterruptedException;
    }

    PerCpuReadWriteLockWaitingTest(ReaderCounters counters) {
        super(counters);
    }

    @Test
    void aWaitingWriterKeepsNewReadersOut() throws InterruptedException {
        read.lock();
        Waiter writer = Waiter.of(write::lock, write::unlock);
        assertThat(read.tryLock()).isFalse();
        assertThat(read.tryLock(1, TimeUnit.MILLISECONDS)).isFalse();
        read.unlock();
        writer.leave();
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, Long.MIN_VALUE + 1, -1, 0})
    void noTimeIsNoWaiting(long time) throws InterruptedException {
        for (TimeUnit unit : List.of(TimeUnit.NANOSECONDS, TimeUnit.DAYS)) {
            read.lock();
            Workers.run(
                    "no-time-", 1, _ -> assertThat(triesFor(write, time, unit)).isFalse());
            assertThat(read.tryLock())
                    .as("a writer that gave up leaves the door open")
                    .isTrue();
            read.unlock();
            read.unlock();
            write.lock();
            Workers.run("no-time-", 1, _ -> {
                assertThat(triesFor(read, time, unit)).isFalse();
                assertThat(triesFor(write, time, unit)).isFalse();
            });
            write.unlock();
        }
    }

    private static boolean triesFor(Lock side, long time, TimeUnit unit) {
        try {
            return side.tryLock(time, unit);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void readersThatWaitForAFairLockComeInBeforeTheNextWriter() throws InterruptedException {
        PerCpuReadWriteLock fair = counters.lock(true);
        Lock fairRead = fair.readLock();
        Lock fairWrite = fair.writeLock();
        fairWrite.lock();
        Waiter firstReader = Waiter.of(fairRead::lock, fairRead::unlock);
        Waiter nextWriter = Waiter.of(fairWrite::lock, fairWrite::unlock);
        Waiter secondReader = Waiter.of(() -> fairRead.tryLock(1, TimeUnit.DAYS), fairRead::unlock);
        fairWrite.unlock();
        firstReader.awaitEntry();
        secondReader.awaitEntry();
        assertThat(nextWriter.isInside()).isFalse();
        firstReader.leave();
        assertThat(nextWriter.isInside()).isFalse();
        secondReader.leave();
        nextWriter.leave();
    }

    /** Also before the one that has just unlocked, and asks again before the waiting one has woken up. */
    @Test
    void aWriterThatWaitsForAFairLockComesInBeforeLaterOnes() throws InterruptedException {
        Lock write = counters.lock(true).writeLock();
        AtomicBoolean was = new AtomicBoolean();
        write.lock();
        Waiter waiter = Waiter.of(
                () -> {
                    write.lock();
                    was.set(true);
                    write.unlock();
                },
                () -> {});
        write.unlock();
        write.lock();
        try {
            assertThat(was).as("whether the waiting one was inside").isTrue();
        } finally {
            write.unlock();
        }
        waiter.leave();
    }

    @Test
    void aWriterThatGivesUpLetsWaitingReadersIn() throws InterruptedException {
        read.lock();
        Waiter writer = Waiter.of(write::lockInterruptibly, write::unlock);
        Waiter reader = Waiter.of(read::lock, read::unlock);
        writer.interruptAndFail();
        reader.awaitEntry();
        assertThat(write.tryLock()).isFalse();
        read.unlock();
        assertThat(write.tryLock()).isFalse();
        reader.leave();
    }

    @ParameterizedTest
    @EnumSource
    void anInterruptEndsWaitingForReaders(Interruptible way) throws InterruptedException {
        read.lock();
        Waiter.of(() -> way.lock(write), write::unlock).interruptAndFail();
        read.unlock();
    }

    @ParameterizedTest
    @EnumSource
    void anInterruptEndsWaitingForAWriter(Interruptible way) throws InterruptedException {
        write.lock();
        Waiter.of(() -> way.lock(write), write::unlock).interruptAndFail();
        Waiter.of(() -> way.lock(read), read::unlock).interruptAndFail();
        write.unlock();
    }

    @ParameterizedTest
    @EnumSource
    void whoComesInterruptedIsRefused(Interruptible way) {
        for (Lock side : List.of(read, write)) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> way.lock(side)).isInstanceOf(InterruptedException.class);
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void interruptibleWaysGetIn(Interruptible way) throws InterruptedException {
        for (Lock side : List.of(read, write)) {
            way.lock(side);
            side.unlock();
            write.lock();
            Waiter waiter = Waiter.of(() -> way.lock(side), side::unlock);
            write.unlock();
            waiter.leave();
        }
    }

    @Test
    void anInterruptDoesNotEndLock() throws InterruptedException {
        for (Lock side : List.of(read, write)) {
            write.lock();
            Waiter waiter = Waiter.of(
                    () -> {
                        side.lock();
                        assertThat(Thread.interrupted()).isTrue();
                    },
                    side::unlock);
            waiter.interrupt();
            assertThat(waiter.isInside()).isFalse();
            write.unlock();
            waiter.leave();
        }
    }

    /** A thread that waits to get in. */
    private static final class Waiter {
        private final CountDownLatch inside = new CountDownLatch(1);
        private final CountDownLatch leaves = new CountDownLatch(1);
        private final Thread thread;
        private volatile Throwable failure;

        @FunctionalInterface
        interface Entry {
            void enter() throws InterruptedException;
        }

        private Waiter(Entry entry, Runnable exit) {
            thread = new Thread(() -> run(entry, exit), "waiter");
        }

        /** Returns when the thread waits. */
        static Waiter of(Entry entry, Runnable exit) throws InterruptedException {
            Waiter waiter = new Waiter(entry, exit);
            waiter.thread.start();
            waiter.awaitWaiting();
            return waiter;
        }

        private void awaitWaiting() throws InterruptedException {
            while (thread.getState() != Thread.State.WAITING && thread.getState() != Thread.State.TIMED_WAITING) {
                assertThat(thread.isAlive()).as("waiting").isTrue();
                Thread.sleep(1);
            }
            assertThat(isInside()).isFalse();
        }

        private void run(Entry entry, Runnable exit) {
            try {
                entry.enter();
                inside.countDown();
                leaves.await();
                exit.run();
            } catch (Throwable t) {
                failure = t;
                inside.countDown();
            }
        }

        boolean isInside() {
            return inside.getCount() == 0;
        }

        void awaitEntry() {
            Workers.await(inside, thread);
            assertThat(failure).isNull();
        }

        /** Waits for the thread to get in, and has it leave. */
        void leave() {
            awaitEntry();
            leaves.countDown();
            Workers.join(thread);
            assertThat(failure).isNull();
        }

        void interrupt() throws InterruptedException {
            thread.interrupt();
            awaitWaiting();
        }

        void interruptAndFail() {
            thread.interrupt();
            Workers.join(thread);
            assertThat(failure).isInstanceOf(InterruptedException.class);
        }
    }
}

package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.backend.BoundThread;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Workers;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who gets in, who waits, who gives up, and that the lock is as good as new afterwards. The time limit ends a wait for ever. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
@SuppressWarnings("LockNotBeforeTry") // a failed test leaves its lock to no other
class PerCpuReadWriteLockTest {
    private final PerCpuReadWriteLock lock = new PerCpuReadWriteLock();
    private final Lock read = lock.readLock();
    private final Lock write = lock.writeLock();

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

    /** Whatever a test did, nobody is inside, and everybody can come in. */
    @AfterEach
    void nobodyIsInside() {
        assertThat(write.tryLock()).isTrue();
        write.unlock();
        assertThat(read.tryLock()).isTrue();
        read.unlock();
        assertThat(lock.toString()).contains("open to readers");
    }

    @Test
    void readersShareAndKeepWritersOut() throws InterruptedException {
        read.lock();
        assertThat(inAnotherThread(read::tryLock)).isTrue();
        assertThat(write.tryLock()).isFalse();
        assertThat(write.tryLock(1, TimeUnit.MILLISECONDS)).isFalse();
        read.unlock();
        assertThat(write.tryLock(0, TimeUnit.SECONDS)).isFalse();
        read.unlock();
        assertThat(write.tryLock(0, TimeUnit.SECONDS)).isTrue();
        write.unlock();
    }

    @Test
    void aWriterKeepsEveryoneElseOut() throws InterruptedException {
        write.lock();
        for (Lock side : List.of(read, write)) {
            assertThat(inAnotherThread(side::tryLock)).isFalse();
            assertThat(inAnotherThread(() -> side.tryLock(0, TimeUnit.SECONDS))).isFalse();
            assertThat(inAnotherThread(() -> side.tryLock(1, TimeUnit.MILLISECONDS)))
                    .isFalse();
        }
        write.unlock();
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

    @Test
    void readersThatWaitComeInBeforeTheNextWriter() throws InterruptedException {
        write.lock();
        Waiter firstReader = Waiter.of(read::lock, read::unlock);
        Waiter nextWriter = Waiter.of(write::lock, write::unlock);
        Waiter secondReader = Waiter.of(() -> read.tryLock(1, TimeUnit.DAYS), read::unlock);
        write.unlock();
        firstReader.awaitEntry();
        secondReader.awaitEntry();
        assertThat(nextWriter.isInside()).isFalse();
        firstReader.leave();
        assertThat(nextWriter.isInside()).isFalse();
        secondReader.leave();
        nextWriter.leave();
    }

    @Test
    void aWriterThatGivesUpLeavesTheReadersCounted() throws InterruptedException {
        for (int round = 0; round < 100; round++) {
            read.lock();
            read.lock();
            assertThat(write.tryLock(10, TimeUnit.MICROSECONDS)).isFalse();
            read.unlock();
            assertThat(write.tryLock()).as("one reader is still inside").isFalse();
            read.lock();
            read.unlock();
            assertThat(write.tryLock(10, TimeUnit.MICROSECONDS)).isFalse();
            read.unlock();
            assertThat(write.tryLock()).as("none is inside").isTrue();
            write.unlock();
        }
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

    /** An error may come up anywhere, also when the lock is got already; the lock can be put in order after it. */
    @Test
    void aStackOverflowLeavesTheLockUsable() {
        for (int round = 0; round < Math.max(5, Effort.scaled(50)); round++) {
            assertThatThrownBy(this::lockDeeply).isInstanceOf(StackOverflowError.class);
            write.lock();
            do {
                write.unlock();
            } while (lock.isWriteLockedByCurrentThread());
            read.lock();
            assertThat(write.tryLock()).as("a writer beside a reader").isFalse();
            read.unlock();
            assertThat(write.tryLock()).isTrue();
            write.unlock();
        }
    }

    @SuppressWarnings("InfiniteRecursion")
    private void lockDeeply() {
        write.lock();
        write.unlock();
        lockDeeply();
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

    @Test
    void theWriteLockIsReentrant() throws InterruptedException {
        write.lock();
        write.lock();
        assertThat(write.tryLock()).isTrue();
        assertThat(write.tryLock(1, TimeUnit.DAYS)).isTrue();
        write.unlock();
        write.unlock();
        write.unlock();
        assertThat(lock.isWriteLockedByCurrentThread()).isTrue();
        assertThat(inAnotherThread(read::tryLock)).isFalse();
        assertThat(inAnotherThread(lock::isWriteLockedByCurrentThread)).isFalse();
        write.unlock();
        assertThat(lock.isWriteLockedByCurrentThread()).isFalse();
    }

    @Test
    void aWriterBecomesAReader() throws InterruptedException {
        write.lock();
        read.lock();
        assertThat(read.tryLock()).isTrue();
        assertThat(read.tryLock(0, TimeUnit.SECONDS)).isTrue();
        read.lockInterruptibly();
        assertThat(inAnotherThread(read::tryLock)).isFalse();
        read.unlock();
        read.unlock();
        write.lock();
        write.unlock();
        write.unlock();
        assertThat(inAnotherThread(write::tryLock)).isFalse();
        assertThat(inAnotherThread(read::tryLock)).isTrue();
        read.unlock();
        read.unlock();
        assertThat(inAnotherThread(write::tryLock)).isFalse();
        read.unlock();
    }

    @Test
    void aReaderMayLeaveOnAnotherCpuAndInAnotherThread() {
        CpuMask cpus = CpuMask.usable();
        for (CpuId in : cpus) {
            for (CpuId out : cpus) {
                on(in, read::lock);
                assertThat(write.tryLock()).isFalse();
                on(out, read::unlock);
                assertThat(write.tryLock()).isTrue();
                write.unlock();
                on(in, read::lock);
                on(out, read::unlock);
            }
        }
    }

    @Test
    void onlyTheHolderUnlocksTheWriteLock() throws InterruptedException {
        assertThatThrownBy(write::unlock)
                .isInstanceOf(IllegalMonitorStateException.class)
                .hasMessageContaining("does not have the write lock");
        write.lock();
        assertThat(inAnotherThread(() -> {
                    assertThatThrownBy(write::unlock).isInstanceOf(IllegalMonitorStateException.class);
                    return read.tryLock();
                }))
                .isFalse();
        write.unlock();
    }

    @Test
    void aReadUnlockTooManyIsFoundAtOnceUnderAWriter() {
        write.lock();
        assertThatThrownBy(read::unlock)
                .isInstanceOf(IllegalMonitorStateException.class)
                .hasMessageContaining("more often than locked");
        read.lock();
        read.unlock();
        write.unlock();
    }

    @Test
    void aReadUnlockTooManyIsFoundByTheNextWriter() throws InterruptedException {
        read.unlock();
        for (int time = 0; time < 2; time++) {
            assertThatThrownBy(write::lock)
                    .isInstanceOf(IllegalMonitorStateException.class)
                    .hasMessageContaining("unlocked 1 times more often than locked");
            assertThatThrownBy(write::tryLock).isInstanceOf(IllegalMonitorStateException.class);
        }
        assertThat(inAnotherThread(read::tryLock)).isTrue();
    }

    @Test
    void conditionsAreRefused() {
        assertThatThrownBy(read::newCondition).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(write::newCondition).isInstanceOf(UnsupportedOperationException.class);
    }

    private static void on(CpuId cpu, Runnable task) {
        assertThat(BoundThread.run(cpu.id(), task)).isNull();
    }

    @FunctionalInterface
    private interface Question {
        boolean ask() throws InterruptedException;
    }

    /** Asks in a thread that ends with the answer; what it locked stays so. */
    private static boolean inAnotherThread(Question question) throws InterruptedException {
        boolean[] answer = new boolean[1];
        dev.percpu.testing.Workers.run("asked-", 1, _ -> {
            try {
                answer[0] = question.ask();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        return answer[0];
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

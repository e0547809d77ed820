package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.CpuGuard;
import dev.percpu.OnCpu;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Serialization;
import dev.percpu.testing.Workers;
import java.io.InvalidObjectException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Who gets in, who is refused, and who may unlock. The time limit ends a wait for ever. No virtual machine runs it:
 * there, {@link ReadWriteLockExclusionTest} has readers that move between CPUs.
 */
@SuppressWarnings("LockNotBeforeTry") // a failed test leaves its lock to no other
@ParameterizedClass
@EnumSource
class PerCpuReadWriteLockTest extends ReadWriteLockFixture {
    PerCpuReadWriteLockTest(ReaderCounters counters) {
        super(counters);
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
                OnCpu.run(in, read::lock);
                assertThat(write.tryLock()).isFalse();
                OnCpu.run(out, read::unlock);
                assertThat(write.tryLock()).isTrue();
                write.unlock();
                OnCpu.run(in, read::lock);
                OnCpu.run(out, read::unlock);
            }
        }
    }

    @Test
    void onlyTheHolderUnlocksTheWriteLock() throws InterruptedException {
        assertThatThrownBy(write::unlock)
                .isInstanceOf(IllegalMonitorStateException.class)
                .hasMessageContaining("does not hold the write lock");
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
    void aReadUnlockTooManyIsFoundByTheNextWriterOrAtOnce() throws InterruptedException {
        if (counters == ReaderCounters.WORD) {
            assertThatThrownBy(read::unlock)
                    .isInstanceOf(IllegalMonitorStateException.class)
                    .hasMessageContaining("more often than locked");
            return;
        }
        PerCpuReadWriteLock broken = counters.lock();
        broken.readLock().unlock();
        for (int time = 0; time < 2; time++) {
            assertThatThrownBy(broken.writeLock()::lock)
                    .isInstanceOf(IllegalMonitorStateException.class)
                    .hasMessageContaining("unlocked 1 times more often than locked");
            assertThatThrownBy(broken.writeLock()::tryLock).isInstanceOf(IllegalMonitorStateException.class);
            ReaderCounters.use(broken);
        }
        assertThat(inAnotherThread(broken.readLock()::tryLock)).isTrue();
    }

    /** The reader makes the count 0, but it may be anybody who has unlocked too often. */
    @Test
    void afterAReadUnlockTooManyNoWriterComesInBesideALaterReader() throws InterruptedException {
        if (counters == ReaderCounters.WORD) {
            // The unlock has failed then.
            return;
        }
        PerCpuReadWriteLock broken = counters.lock();
        broken.readLock().unlock();
        assertThatThrownBy(broken.writeLock()::tryLock).isInstanceOf(IllegalMonitorStateException.class);
        broken.readLock().lock();
        for (int time = 0; time < 2; time++) {
            assertThat(inAnotherThread(() -> {
                        assertThatThrownBy(broken.writeLock()::tryLock)
                                .isInstanceOf(IllegalMonitorStateException.class)
                                .hasMessageContaining("unlocked 1 times more often than locked");
                        return broken.isWriteLocked();
                    }))
                    .isFalse();
        }
        broken.readLock().unlock();
        assertThatThrownBy(broken.writeLock()::lock).isInstanceOf(IllegalMonitorStateException.class);
    }

    @Test
    void theReadLockHasNoConditions() {
        assertThatThrownBy(read::newCondition).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void tellsWhoHasIt() throws InterruptedException {
        assertThat(lock.isWriteLocked()).isFalse();
        assertThat(lock.getWriteHoldCount()).isZero();
        write.lock();
        write.lock();
        assertThat(lock.isWriteLocked()).isTrue();
        assertThat(lock.getWriteHoldCount()).isEqualTo(2);
        assertThat(inAnotherThread(() -> lock.isWriteLocked() && lock.getWriteHoldCount() == 0))
                .isTrue();
        assertThat(lock.toString()).endsWith("[Write locks = 2, Read locks = 0]");
        assertThat(write).hasToString("write lock[locked]");
        write.unlock();
        read.lock();
        assertThat(lock.toString()).endsWith("[Write locks = 1, Read locks = 1]");
        assertThat(read).hasToString("read lock[Read locks = 1]");
        write.unlock();
        assertThat(lock.toString()).endsWith("[Write locks = 0, Read locks = 1]");
        assertThat(write).hasToString("write lock[unlocked]");
        read.unlock();
    }

    @Test
    void tellsItsName() {
        assertThat(new PerCpuReadWriteLock("table").toString()).startsWith("table[Write locks = 0, ");
        assertThat(new PerCpuReadWriteLock().toString()).startsWith("a PerCpuReadWriteLock[Write locks = 0, ");
    }

    @Test
    void isFairIfAskedTo() {
        assertThat(lock.isFair()).isFalse();
        assertThat(new PerCpuReadWriteLock(true).isFair()).isTrue();
        assertThat(new PerCpuReadWriteLock("fair", true).isFair()).isTrue();
        assertThat(new PerCpuReadWriteLock("not fair").isFair()).isFalse();
    }

    @Test
    void isUnlockedWhenItWasDeserialized() {
        PerCpuReadWriteLock fair = new PerCpuReadWriteLock(true);
        fair.writeLock().lock();
        PerCpuReadWriteLock copy = Serialization.copy(fair);
        assertThat(copy.isFair()).isTrue();
        assertThat(copy.isWriteLocked()).isFalse();
        assertThat(copy.readLock().tryLock()).isTrue();
        assertThat(Serialization.copy(lock).isFair()).isFalse();
        assertThatThrownBy(() -> Serialization.fromFields(PerCpuReadWriteLock.class))
                .isInstanceOf(InvalidObjectException.class);
    }

    /** Whoever has the lock may wait for the guard, so a wait would be for ever. */
    @Test
    void whoHoldsAGuardDoesNotWait() throws InterruptedException {
        read.lock();
        assertThat(inAnotherThread(() -> {
                    try (CpuGuard _ = CpuGuard.acquire()) {
                        assertThat(write.tryLock()).isFalse();
                        assertThat(write.tryLock(0, TimeUnit.DAYS)).isFalse();
                        refused(write);
                    }
                    return true;
                }))
                .isTrue();
        read.unlock();
        write.lock();
        assertThat(inAnotherThread(() -> {
                    try (CpuGuard _ = CpuGuard.acquire()) {
                        assertThat(read.tryLock()).isFalse();
                        assertThat(read.tryLock(0, TimeUnit.DAYS)).isFalse();
                        refused(read);
                        refused(write);
                    }
                    return true;
                }))
                .isTrue();
        Condition condition = write.newCondition();
        try (CpuGuard _ = CpuGuard.acquire()) {
            assertThatThrownBy(condition::await).isInstanceOf(IllegalStateException.class);
            write.lock();
            write.unlock();
        }
        assertThat(lock.getWriteHoldCount()).isEqualTo(1);
        write.unlock();
        try (CpuGuard _ = CpuGuard.acquire()) {
            write.lock();
            write.unlock();
            read.lock();
            read.unlock();
        }
    }

    private static void refused(Lock side) {
        for (ThrowingCallable way :
                List.<ThrowingCallable>of(side::lock, side::lockInterruptibly, () -> side.tryLock(1, TimeUnit.DAYS))) {
            assertThatThrownBy(way)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("holds the guard of CPU")
                    .hasMessageContaining("Close the guard first");
        }
    }

    @FunctionalInterface
    private interface Question {
        boolean ask() throws InterruptedException;
    }

    /** Asks in a thread that ends with the answer; what it locked stays so. */
    private static boolean inAnotherThread(Question question) throws InterruptedException {
        boolean[] answer = new boolean[1];
        Workers.run("asked-", 1, _ -> {
            try {
                answer[0] = question.ask();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        return answer[0];
    }
}

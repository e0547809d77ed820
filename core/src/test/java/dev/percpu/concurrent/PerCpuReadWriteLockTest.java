package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.linux.BoundThread;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Workers;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who gets in, who is refused, and who may unlock. The time limit ends a wait for ever. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
@SuppressWarnings("LockNotBeforeTry") // a failed test leaves its lock to no other
class PerCpuReadWriteLockTest extends ReadWriteLockFixture {
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

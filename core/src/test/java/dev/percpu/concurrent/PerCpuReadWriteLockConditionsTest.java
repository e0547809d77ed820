package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.testing.Effort;
import dev.percpu.testing.Workers;
import java.util.ArrayDeque;
import java.util.Date;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Conditions of the write lock. The time limit ends a wait for ever. */
@SuppressWarnings({"LockNotBeforeTry", "WaitNotInLoop", "JavaUtilDate"}) // no other test has the lock; waits end once
@ParameterizedClass
@EnumSource
class PerCpuReadWriteLockConditionsTest extends ReadWriteLockFixture {
    private final Condition condition = write.newCondition();

    PerCpuReadWriteLockConditionsTest(ReaderCounters counters) {
        super(counters);
    }

    @Test
    void theCountOfHoldsDoesNotOverflow() throws InterruptedException {
        PerCpuReadWriteLock lock = new PerCpuReadWriteLock("table");
        WriteLock write = (WriteLock) lock.writeLock();
        write.lock();
        write.holds = Integer.MAX_VALUE;
        assertThatThrownBy(write::lock).isInstanceOf(Error.class).hasMessageContaining("table");
        assertThatThrownBy(write::tryLock).isInstanceOf(Error.class);
        assertThatThrownBy(() -> write.tryLock(1, TimeUnit.SECONDS)).isInstanceOf(Error.class);
        assertThat(lock.getWriteHoldCount()).isEqualTo(Integer.MAX_VALUE);
        write.holds = 1;
        write.unlock();
        assertThat(lock.isWriteLocked()).isFalse();
    }

    @Test
    void waitingGivesUpAllHoldsAndTakesThemAgain() throws InterruptedException {
        Thread waiter = waiter(() -> {
            write.lock();
            condition.awaitUninterruptibly();
            assertThat(lock.getWriteHoldCount()).isEqualTo(2);
            assertThat(lock.isWriteLocked()).isTrue();
            write.unlock();
        });
        read.lock();
        read.unlock();
        write.lock();
        assertThat(lock.hasWaiters(condition)).isTrue();
        assertThat(lock.getWaitQueueLength(condition)).isEqualTo(1);
        condition.signal();
        assertThat(lock.hasWaiters(condition)).isFalse();
        write.unlock();
        Workers.join(waiter);
    }

    /** No other writer comes that could open the door. */
    @Test
    void waitingLetsReadersInThatWereKeptOut() throws InterruptedException {
        CountDownLatch locked = new CountDownLatch(1);
        Thread waiter = new Failing(() -> {
            write.lock();
            locked.countDown();
            awaitQueued(1);
            condition.awaitUninterruptibly();
            write.unlock();
        });
        waiter.start();
        locked.await();
        read.lock();
        assertThat(lock.isWriteLocked()).isFalse();
        read.unlock();
        write.lock();
        condition.signal();
        write.unlock();
        Workers.join(waiter);
    }

    @Test
    void whoIsSignalledWaitsForReadersAndKeepsThemOut() throws InterruptedException {
        Thread waiter = waiter(() -> {
            condition.awaitUninterruptibly();
            assertThat(triesInAnotherThread(read))
                    .as("a reader beside a writer")
                    .isFalse();
        });
        write.lock();
        condition.signalAll();
        read.lock();
        write.unlock();
        awaitQueued(1);
        assertThat(waiter.isAlive()).isTrue();
        assertThat(lock.isWriteLocked()).isFalse();
        read.unlock();
        Workers.join(waiter);
    }

    @Test
    void anInterruptEndsTheWaitWithTheLockHeld() throws InterruptedException {
        for (Waiting way : List.<Waiting>of(
                Condition::await,
                c -> c.awaitNanos(TimeUnit.DAYS.toNanos(1)),
                c -> c.await(1, TimeUnit.DAYS),
                c -> c.awaitUntil(new Date(Long.MAX_VALUE)))) {
            Thread waiter = waiter(() -> {
                assertThatThrownBy(() -> way.await(condition)).isInstanceOf(InterruptedException.class);
                assertThat(lock.getWriteHoldCount()).isEqualTo(1);
                assertThat(triesInAnotherThread(read)).isFalse();
            });
            waiter.interrupt();
            Workers.join(waiter);
        }
    }

    @Test
    void anInterruptDoesNotEndAnUninterruptibleWait() throws InterruptedException {
        Thread waiter = waiter(() -> {
            condition.awaitUninterruptibly();
            assertThat(Thread.interrupted()).isTrue();
        });
        waiter.interrupt();
        write.lock();
        assertThat(lock.hasWaiters(condition)).isTrue();
        condition.signal();
        write.unlock();
        Workers.join(waiter);
    }

    @Test
    void timeRunsOutWithTheLockHeld() throws InterruptedException {
        write.lock();
        for (long nanos : new long[] {Long.MIN_VALUE, -1, 0, 1000}) {
            assertThat(condition.awaitNanos(nanos)).isNotPositive();
            assertThat(condition.await(nanos, TimeUnit.NANOSECONDS)).isFalse();
        }
        assertThat(condition.awaitUntil(new Date(0))).isFalse();
        assertThat(lock.getWriteHoldCount()).isEqualTo(1);
        assertThat(triesInAnotherThread(read)).isFalse();
        write.unlock();
    }

    @Test
    void aSignalInTimeIsTold() throws InterruptedException {
        for (Waiting way : List.<Waiting>of(
                c -> assertThat(c.awaitNanos(TimeUnit.DAYS.toNanos(1))).isBetween(1L, TimeUnit.DAYS.toNanos(1)),
                c -> assertThat(c.await(1, TimeUnit.DAYS)).isTrue(),
                c -> assertThat(c.awaitUntil(new Date(Long.MAX_VALUE))).isTrue())) {
            Thread waiter = waiter(() -> way.await(condition));
            write.lock();
            condition.signal();
            write.unlock();
            Workers.join(waiter);
        }
    }

    @Test
    void onlyTheHolderWaitsAndSignals() throws InterruptedException {
        for (ThrowingCallable use : List.<ThrowingCallable>of(
                condition::await,
                condition::awaitUninterruptibly,
                () -> condition.awaitNanos(1),
                () -> condition.await(1, TimeUnit.DAYS),
                () -> condition.awaitUntil(new Date(0)),
                condition::signal,
                condition::signalAll)) {
            assertThatThrownBy(use)
                    .isInstanceOf(IllegalMonitorStateException.class)
                    .hasMessageContaining("does not hold the write lock");
            write.lock();
            Workers.run("stranger-", 1, _ -> assertThatThrownBy(use).isInstanceOf(IllegalMonitorStateException.class));
            write.unlock();
        }
    }

    @Test
    void theConditionOfAnotherLockIsRefused() {
        write.lock();
        Condition other = new PerCpuReadWriteLock().writeLock().newCondition();
        for (ThrowingCallable use :
                List.<ThrowingCallable>of(() -> lock.hasWaiters(other), () -> lock.getWaitQueueLength(other))) {
            assertThatThrownBy(use)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("ask the lock that made it");
        }
        write.unlock();
    }

    /** Whatever is put in is taken out once, and readers never see a writer's half-done work. */
    @Test
    void aQueueWithConditionsLosesNothing() throws InterruptedException {
        int each = Effort.scaled(2_000);
        Condition notEmpty = write.newCondition();
        Condition notFull = write.newCondition();
        Queue<Integer> queue = new ArrayDeque<>();
        int[] put = new int[1];
        int[] taken = new int[1];
        AtomicLong sum = new AtomicLong();
        Workers.run("queue-", 6, number -> {
            for (int i = 0; i < each; i++) {
                switch (number % 3) {
                    case 0 ->
                        locked(() -> {
                            while (queue.size() == 4) {
                                notFull.awaitUninterruptibly();
                            }
                            put[0]++;
                            queue.add(put[0]);
                            notEmpty.signal();
                        });
                    case 1 ->
                        locked(() -> {
                            while (queue.isEmpty()) {
                                notEmpty.awaitUninterruptibly();
                            }
                            taken[0]++;
                            sum.addAndGet(queue.remove());
                            notFull.signal();
                        });
                    default -> {
                        read.lock();
                        try {
                            assertThat(put[0] - taken[0]).isEqualTo(queue.size());
                        } finally {
                            read.unlock();
                        }
                    }
                }
            }
        });
        long all = 2L * each;
        assertThat(sum).hasValue(all * (all + 1) / 2);
        assertThat(queue).isEmpty();
    }

    @FunctionalInterface
    private interface Waiting {
        void await(Condition condition) throws InterruptedException;
    }

    @FunctionalInterface
    private interface Task {
        void run() throws InterruptedException;
    }

    private void locked(Runnable task) {
        write.lock();
        try {
            task.run();
        } finally {
            write.unlock();
        }
    }

    /** A thread that has the write lock and does the task; the call returns when somebody else can have the lock. */
    private Thread waiter(Task task) throws InterruptedException {
        Failing waiter = new Failing(() -> {
            write.lock();
            try {
                task.run();
            } finally {
                write.unlock();
            }
        });
        waiter.start();
        boolean waits = false;
        while (!waits) {
            assertThat(waiter.isAlive()).as("waiting").isTrue();
            write.lock();
            waits = lock.hasWaiters(condition);
            write.unlock();
            // With the test's time this ends, and locking would not.
            Thread.sleep(1);
        }
        return waiter;
    }

    private void awaitQueued(int threads) throws InterruptedException {
        while (lock.getQueueLength() < threads) {
            Thread.sleep(1);
        }
    }

    private static boolean triesInAnotherThread(Lock side) throws InterruptedException {
        boolean[] entered = new boolean[1];
        Workers.run("tries-", 1, _ -> entered[0] = side.tryLock());
        return entered[0];
    }

    /** A thread whose failure is the failure of the test, found by {@link ReadWriteLockFixture}. */
    private final class Failing extends Thread {
        private final Task task;

        private Failing(Task task) {
            super("waiter");
            this.task = task;
        }

        @Override
        public void run() {
            try {
                task.run();
            } catch (Throwable t) {
                failures.add(t);
            }
        }
    }
}

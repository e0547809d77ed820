package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Jvm;
import dev.percpu.testing.LogCapture;
import dev.percpu.testing.Workers;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.Test;

/**
 * What checked mode finds, and what it leaves alone. It is chosen once for each JVM, so in one of its own, on whose
 * class path are no libraries.
 */
class CheckedReadWriteLockTest {
    @Test
    void checkedModeFindsWhatOtherwiseHangsOrGoesUnnoticed() {
        assertThat(Jvm.asHere().option("-Dpercpu.checked=true").outputOf(Mistakes.class))
                .contains("all found");
    }

    @Test
    void whatIsAllowedStaysAllowed() {
        assertThat(Jvm.asHere().option("-Dpercpu.checked=true").outputOf(Rights.class))
                .contains("all allowed");
    }

    @Test
    void aReportOfALongWaitSaysWhoHasTheReadLock() {
        assertThat(Jvm.asHere().option("-Dpercpu.checked=true").outputOf(LongWait.class))
                .contains("has waited over")
                .containsPattern("1 reader is inside: thread #\\d+ \"reader\", in dev.percpu.concurrent"
                        + "\\.CheckedReadWriteLockTest\\$LongWait\\.read\\(CheckedReadWriteLockTest.java:\\d+\\)");
    }

    /** The method toString of a thread is the user's code, and may throw. */
    @Test
    void aThreadIsDescribedWithoutItsOwnToString() {
        assertThat(Jvm.asHere().option("-Dpercpu.checked=true").outputOf(WithoutText.class))
                .contains("locked");
    }

    private static void check(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what);
        }
    }

    private interface Use {
        void run() throws InterruptedException;
    }

    /** Nested read locks, upgrades, and unlocks too many; no other thread is there that would make them hang. */
    @SuppressWarnings("LockNotBeforeTry") // whatever fails ends the JVM
    static final class Mistakes {
        private static final PerCpuReadWriteLock LOCK = new PerCpuReadWriteLock("table");
        private static final Lock READ = LOCK.readLock();
        private static final Lock WRITE = LOCK.writeLock();

        private Mistakes() {}

        public static void main(String[] arguments) throws InterruptedException {
            Condition condition = WRITE.newCondition();
            lockToRead();
            assertRefused(READ::lock, "locks its read lock again", "lockToRead");
            assertRefused(READ::lockInterruptibly, "locks its read lock again", "lockToRead");
            assertRefused(WRITE::lock, "locks its write lock", "lockToRead");
            assertRefused(WRITE::lockInterruptibly, "locks its write lock", "lockToRead");
            unlockRead();
            assertRefused(READ::unlock, "which no thread has", "unlockRead");
            assertRefused(READ::unlock, "which no thread has", "unlockRead");

            WRITE.lock();
            lockToRead();
            assertRefused(condition::await, "waits for a condition", "lockToRead");
            WRITE.unlock();
            assertRefused(WRITE::lock, "locks its write lock", "lockToRead");
            READ.unlock();
            check(WRITE.tryLock(), "an error left something locked");
            WRITE.unlock();
            System.out.println("all found");
        }

        private static void lockToRead() {
            READ.lock();
        }

        private static void unlockRead() {
            READ.unlock();
        }

        private static void assertRefused(Use use, String what, String where) throws InterruptedException {
            try {
                use.run();
            } catch (IllegalStateException | IllegalMonitorStateException e) {
                check(e.getMessage().contains(what) && e.getMessage().contains("table"), e.toString());
                check(
                        e.getMessage()
                                .contains("thread #" + Thread.currentThread().threadId() + " "),
                        e.toString());
                check(e.getSuppressed().length == 1, "where that thread was before");
                check(
                        Arrays.stream(e.getSuppressed()[0].getStackTrace())
                                .anyMatch(frame -> frame.getMethodName().equals(where)),
                        "the method " + where);
                return;
            }
            throw new AssertionError(what + " was not found");
        }
    }

    /** Has the read lock. */
    static final class WithoutText extends Thread {
        private WithoutText() {}

        public static void main(String[] arguments) {
            new WithoutText().start();
        }

        @Override
        @SuppressWarnings("LockNotBeforeTry") // whatever fails ends the thread
        public void run() {
            Lock read = new PerCpuReadWriteLock().readLock();
            read.lock();
            read.unlock();
            System.out.println("locked");
        }

        @Override
        public String toString() {
            throw new UnsupportedOperationException("for the test");
        }
    }

    /** What the lock's rules allow. */
    @SuppressWarnings("LockNotBeforeTry") // whatever fails ends the JVM
    static final class Rights {
        private static final PerCpuReadWriteLock LOCK = new PerCpuReadWriteLock();
        private static final Lock READ = LOCK.readLock();
        private static final Lock WRITE = LOCK.writeLock();

        private Rights() {}

        public static void main(String[] arguments) throws InterruptedException {
            attemptsNest();
            downgrade();
            anotherThreadUnlocks();
            anyOfTwoMayHaveBeenUnlocked();
            check(WRITE.tryLock(), "something stayed locked");
            WRITE.unlock();
            System.out.println("all allowed");
        }

        private static void attemptsNest() throws InterruptedException {
            READ.lock();
            check(READ.tryLock() && READ.tryLock(1, TimeUnit.SECONDS), "nested attempts");
            check(!WRITE.tryLock() && !WRITE.tryLock(1, TimeUnit.MILLISECONDS), "attempts to upgrade");
            for (int i = 0; i < 3; i++) {
                READ.unlock();
            }
        }

        private static void downgrade() {
            WRITE.lock();
            READ.lock();
            READ.lock();
            WRITE.lock();
            WRITE.unlock();
            WRITE.unlock();
            READ.unlock();
            READ.unlock();
        }

        private static void anotherThreadUnlocks() throws InterruptedException {
            READ.lock();
            Workers.run("other-", 1, _ -> READ.unlock());
            READ.lock();
            READ.unlock();
        }

        /** Nobody can say whose hold the third thread has ended, so this thread may lock again. */
        private static void anyOfTwoMayHaveBeenUnlocked() throws InterruptedException {
            READ.lock();
            Workers.run("other-", 1, _ -> READ.lock());
            Workers.run("other-", 1, _ -> READ.unlock());
            READ.lock();
            READ.unlock();
            READ.unlock();
        }
    }

    /** A thread waits for a reader until a report has said so. */
    @SuppressWarnings("LockNotBeforeTry") // nothing throws inside
    static final class LongWait {
        private static final PerCpuReadWriteLock LOCK = new PerCpuReadWriteLock("table");

        private LongWait() {}

        public static void main(String[] arguments) throws InterruptedException {
            CountDownLatch reads = new CountDownLatch(1);
            CountDownLatch reported = new CountDownLatch(1);
            try (LogCapture log = new LogCapture(reported::countDown)) {
                Thread reader = new Thread(() -> read(reads, reported), "reader");
                reader.start();
                reads.await();
                LOCK.writeLock().lock();
                LOCK.writeLock().unlock();
                reader.join();
                System.out.println(log.messages());
            }
        }

        private static void read(CountDownLatch reads, CountDownLatch reported) {
            LOCK.readLock().lock();
            reads.countDown();
            try {
                reported.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            LOCK.readLock().unlock();
        }
    }
}

package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.LogCapture;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Threads that wait for a lock for seconds are reported, even if they wait for ever. */
@SuppressWarnings("LockNotBeforeTry") // nothing throws inside
class LongLockWaitTest {
    private static final String WAITED =
            "WARNING: thread #\\d+ \"%s\" has waited over \\d+ s for the %s lock of a test: ";

    private final List<Thread> waiters = new ArrayList<>();
    private final PerCpuReadWriteLock lock = ReaderCounters.WORD.lock(true);
    private final Lock read = lock.readLock();
    private final Lock write = lock.writeLock();

    @AfterEach
    void allGetIn() {
        Workers.join(waiters);
        assertThat(lock.toString()).endsWith("[Write locks = 0, Read locks = 0]");
    }

    /** A thread reads twice, and a writer came in between: neither would get on, and both are named. */
    @Test
    void aNestedReadLock() throws InterruptedException {
        read.lock();
        try (LogCapture log = new LogCapture()) {
            start("writer", write);
            start("nested", read);
            assertThat(log.awaitMessage("\"writer\" has waited"))
                    .containsPattern(WAITED.formatted("writer", "write") + "1 reader is inside");
            assertThat(log.awaitMessage("\"nested\" has waited"))
                    .containsPattern(WAITED.formatted("nested", "read")
                            + "thread #\\d+ \"writer\" waits in front of it for 1 reader to leave");
        } finally {
            read.unlock();
        }
    }

    /** A thread that reads wants to write, and waits for itself. */
    @Test
    void anUpgrade() throws InterruptedException {
        read.lock();
        try (LogCapture log = new LogCapture()) {
            start("upgrading", write);
            assertThat(log.awaitMessage("\"upgrading\""))
                    .containsPattern(WAITED.formatted("upgrading", "write") + "1 reader is inside")
                    .endsWith("a thread that has the read lock must not lock the write lock");
        } finally {
            read.unlock();
        }
    }

    /** No other thread can unlock the lock for it. */
    @Test
    void aWriterThatHasEnded() throws InterruptedException {
        PerCpuReadWriteLock lost = ReaderCounters.WORD.lock(true);
        Workers.join(List.of(Thread.ofPlatform().name("gone").start(lost.writeLock()::lock)));
        try (LogCapture log = new LogCapture()) {
            Thread waiter = Thread.ofVirtual().name("waiter").start(() -> {
                try {
                    lost.readLock().lockInterruptibly();
                } catch (InterruptedException expected) {
                    // See below.
                }
            });
            assertThat(log.awaitMessage("\"waiter\""))
                    .containsPattern(WAITED.formatted("waiter", "read")
                            + "thread #\\d+ \"gone\" ended without unlocking the write lock");
            waiter.interrupt();
            Workers.join(List.of(waiter));
        }
    }

    /** Readers and writers that wait for one writer are one report. An interrupt stays for the caller. */
    @Test
    void manyThatWaitForAWriterAreOneReport() throws InterruptedException {
        AtomicInteger interrupted = new AtomicInteger();
        write.lock();
        try (LogCapture log = new LogCapture()) {
            for (int i = 0; i < 50; i++) {
                Lock side = i % 5 == 0 ? write : read;
                waiters.add(Thread.ofVirtual().name("many").start(() -> {
                    Thread.currentThread().interrupt();
                    side.lock();
                    side.unlock();
                    interrupted.addAndGet(Thread.interrupted() ? 1 : 0);
                }));
            }
            assertThat(log.awaitMessage("\"many\""))
                    .containsPattern(WAITED.formatted("many", "(read|write)") + "thread #\\d+ \""
                            + Thread.currentThread().getName() + "\" has the write lock");
            // All others began to wait within this time of the first, and would be reported in it.
            Thread.sleep(1000);
            assertThat(log.awaitMessages(1, "\"many\"")).hasSize(1);
        } finally {
            write.unlock();
        }
        Workers.join(waiters);
        assertThat(interrupted).hasValue(waiters.size());
    }

    private void start(String name, Lock side) throws InterruptedException {
        Thread waiter = new Thread(
                () -> {
                    side.lock();
                    side.unlock();
                },
                name);
        waiter.start();
        waiters.add(waiter);
        while (!lock.hasQueuedThreads() || waiter.getState() == Thread.State.RUNNABLE) {
            Thread.sleep(1);
        }
    }
}

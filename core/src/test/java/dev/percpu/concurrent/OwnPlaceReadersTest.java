package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.HotThread;
import dev.percpu.testing.Effort;
import dev.percpu.testing.FarStores;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.Workers;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Readers and references of threads that count in places of their own. */
@VmTest("machine")
class OwnPlaceReadersTest {
    private static final int READS = 2_000_000;

    /** After a writer, the third reader opens the tally again. */
    private static final int READS_BEFORE_A_WRITE = 8;

    /** How long a write takes, in spins. */
    private static final int PAUSE = 50;

    /** What the lock guards: two numbers that are the same, unless a reader comes in the middle of a write. */
    private long first;

    private long second;
    private long halfDone;

    /**
     * Readers count and read while stores that miss the cache are on their way, so a writer does not see their counts
     * in time unless the heavy fence makes their processors finish these first. The writer takes its time.
     */
    @Test
    void noReaderSeesAWriteHalfDoneWhileStoresWaitForMemory() throws Exception {
        PerCpuReadWriteLock lock = ReaderCounters.TALLY.lock();
        AtomicBoolean done = new AtomicBoolean();
        AtomicLong reads = new AtomicLong();
        int allReads = Effort.scaled(READS);
        FutureTask<?> writing = new FutureTask<>(
                () -> {
                    do {
                        write(lock, reads, done);
                    } while (!done.get());
                },
                null);
        HotThread.run(own -> {
            Thread writer = Thread.ofPlatform().start(writing);
            FarStores far = new FarStores(own);
            try {
                for (int read = 1; read <= allReads; read++) {
                    far.store();
                    lock.readLock().lock();
                    try {
                        halfDone += first == second ? 0 : 1;
                    } finally {
                        lock.readLock().unlock();
                    }
                    reads.setOpaque(read);
                }
            } finally {
                done.set(true);
            }
            Workers.join(writer);
        });
        // Throws what the writer threw.
        writing.get();
        assertThat(halfDone).as("reads of a write that was half done").isZero();
        assertThat(lock.writeLock().tryLock()).as("nobody is inside").isTrue();
        lock.writeLock().unlock();
    }

    /** Waits until the reader counts in its own place, and writes. */
    @SuppressWarnings("ThreadPriorityCheck") // the reader may need the CPU
    private void write(PerCpuReadWriteLock lock, AtomicLong reads, AtomicBoolean done) {
        long before = reads.get();
        while (reads.get() < before + READS_BEFORE_A_WRITE && !done.get()) {
            Thread.yield();
        }
        lock.writeLock().lock();
        try {
            first++;
            for (int i = 0; i < PAUSE; i++) {
                Thread.onSpinWait();
            }
            second++;
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** The place of a reader that has ended is in the sum, and whoever gets it goes on from there. */
    @Test
    @SuppressWarnings("LockNotBeforeTry") // it is unlocked in another thread
    void aReaderMayEndAndAnotherThreadUnlock() throws InterruptedException {
        PerCpuReadWriteLock lock = ReaderCounters.TALLY.lock();
        for (int round = 0; round < 20; round++) {
            HotThread.run(_ -> {
                ReaderCounters.use(lock);
                lock.readLock().lock();
            });
            assertThat(lock.writeLock().tryLock()).isFalse();
            ReaderCounters.use(lock);
            HotThread.run(_ -> lock.readLock().unlock());
            assertThat(lock.writeLock().tryLock()).isTrue();
            lock.writeLock().unlock();
        }
    }
}

package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.AfterEach;

/** A lock for each test, and the check that it is free and usable afterwards. */
@SuppressWarnings("LockNotBeforeTry") // a failed test leaves its lock to no other
abstract class ReadWriteLockFixture {
    final ReaderCounters counters;
    final PerCpuReadWriteLock lock;
    final Lock read;
    final Lock write;

    ReadWriteLockFixture(ReaderCounters counters) {
        this.counters = counters;
        lock = counters.lock();
        read = lock.readLock();
        write = lock.writeLock();
    }

    /** What threads of a test ended with. */
    final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();

    /** Whatever a test did, no thread is inside, and any thread can come in. */
    @AfterEach
    void nobodyIsInside() {
        assertThat(write.tryLock()).isTrue();
        write.unlock();
        assertThat(lock.toString()).endsWith("[Write locks = 0, Read locks = 0]");
        assertThat(read.tryLock()).isTrue();
        read.unlock();
        assertThat(lock.hasQueuedThreads()).isFalse();
        assertThat(failures).isEmpty();
    }
}

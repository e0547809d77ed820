package dev.percpu.stress.subject;

import dev.percpu.concurrent.PerCpuReadWriteLock;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/** Two plain fields behind a lock, which agree whenever somebody is inside. */
final class ReadWriteLock implements Subject {
    private static final int LONGEST_PATIENCE_MICROS = 200;

    private final PerCpuReadWriteLock lock = new PerCpuReadWriteLock();
    private final LongAdder writes = new LongAdder();
    private long first;
    private long second;

    @Override
    public int use(RandomGenerator random) throws InterruptedException {
        int burst = random.nextInt(1, LONGEST_BURST);
        int micros = random.nextInt(LONGEST_PATIENCE_MICROS);
        return switch (random.nextInt(64)) {
            case 0 -> write();
            case 1 -> writeAndReadOn();
            case 2 -> writeIfSoon(micros);
            case 3 -> writeIfFree();
            case 4 -> readIfSoon(micros);
            case 5 -> readSlowly();
            default -> read(burst);
        };
    }

    private int read(int burst) {
        for (int i = 0; i < burst; i++) {
            lock.readLock().lock();
            try {
                check();
            } finally {
                lock.readLock().unlock();
            }
        }
        return 2 * burst;
    }

    @SuppressWarnings("ThreadPriorityCheck") // so that a writer comes in, if it is let
    private int readSlowly() {
        lock.readLock().lock();
        try {
            long seen = first;
            Thread.yield();
            check();
            Subject.expect("what a reader sees again", seen, first);
        } finally {
            lock.readLock().unlock();
        }
        return 2;
    }

    private int readIfSoon(int micros) throws InterruptedException {
        if (lock.readLock().tryLock(micros, TimeUnit.MICROSECONDS)) {
            check();
            lock.readLock().unlock();
        }
        return 2;
    }

    private int write() {
        lock.writeLock().lock();
        try {
            change();
        } finally {
            lock.writeLock().unlock();
        }
        return 2;
    }

    @SuppressWarnings("LockNotBeforeTry") // that is what turning a write lock into a read lock looks like
    private int writeAndReadOn() {
        long written;
        lock.writeLock().lock();
        try {
            change();
            written = first;
            lock.readLock().lock();
        } finally {
            lock.writeLock().unlock();
        }
        try {
            check();
            Subject.expect("what the writer reads on", written, first);
        } finally {
            lock.readLock().unlock();
        }
        return 2;
    }

    private int writeIfSoon(int micros) throws InterruptedException {
        if (lock.writeLock().tryLock(micros, TimeUnit.MICROSECONDS)) {
            change();
            lock.writeLock().unlock();
        }
        return 2;
    }

    private int writeIfFree() {
        if (lock.writeLock().tryLock()) {
            change();
            lock.writeLock().unlock();
        }
        return 2;
    }

    @SuppressWarnings("ThreadPriorityCheck") // so that others come in, if they are let
    private void change() {
        check();
        first++;
        Thread.yield();
        second++;
        writes.increment();
    }

    private void check() {
        long seen = first;
        if (second != seen) {
            throw new AssertionError("a writer is inside too: the fields are " + seen + " and " + second);
        }
    }

    @Override
    public void verify() {
        Subject.expect(lock.writeLock().tryLock(), "somebody is still inside");
        Subject.expect("writes", writes.sum(), first);
        Subject.expect("writes of the second field", writes.sum(), second);
        lock.writeLock().unlock();
    }
}

package dev.percpu.stress.subject;

import dev.percpu.concurrent.PerCpuReadWriteLock;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/**
 * Two plain fields behind a lock, which agree whenever somebody is inside. How many uses write changes from time to
 * time, from none to every other one. So readers change between the central word, the stripes and the tally, and back.
 */
final class ReadWriteLock implements Subject {
    private static final int LONGEST_PATIENCE_MICROS = 200;

    /** For how many uses the mix stays the same, at most: without writes long enough to open the tally. */
    private static final int LONGEST_WITHOUT_WRITES = 20_000;

    private static final int LONGEST_WITH_WRITES = 1_000;

    /** One use in so many writes, in the times that follow each other at random; 0: none does. */
    private static final int[] MIXES = {0, 2, 16, 64, 1024};

    private final PerCpuReadWriteLock lock = new PerCpuReadWriteLock();
    private final LongAdder writes = new LongAdder();
    private final AtomicInteger usesLeft = new AtomicInteger();
    private volatile int mix;
    private long first;
    private long second;

    @Override
    public int use(RandomGenerator random) throws InterruptedException {
        if (usesLeft.getAndDecrement() == 0) {
            int next = MIXES[random.nextInt(MIXES.length)];
            mix = next;
            usesLeft.set(random.nextInt(1, next == 0 ? LONGEST_WITHOUT_WRITES : LONGEST_WITH_WRITES));
        }
        int oneIn = mix;
        return oneIn > 0 && random.nextInt(oneIn) == 0 ? writeSomehow(random) : readSomehow(random);
    }

    private int writeSomehow(RandomGenerator random) throws InterruptedException {
        return switch (random.nextInt(4)) {
            case 0 -> write();
            case 1 -> writeAndReadOn();
            case 2 -> writeIfSoon(random.nextInt(LONGEST_PATIENCE_MICROS));
            default -> writeIfFree();
        };
    }

    private int readSomehow(RandomGenerator random) throws InterruptedException {
        return switch (random.nextInt(64)) {
            case 0 -> readIfSoon(random.nextInt(LONGEST_PATIENCE_MICROS));
            case 1 -> readSlowly();
            default -> read(random.nextInt(1, LONGEST_BURST));
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

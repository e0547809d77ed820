package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.NOT_COMPARABLE;
import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.concurrent.locks.StampedLock;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * What does it cost to read under a read-write lock, and to write under it? {@link ReadWriteMixBenchmark} does both.
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar ReadLockBenchmark -t 1 -prof gc
 * java -jar benchmarks/target/benchmarks.jar ReadLockBenchmark -t 2 -prof gc
 * </pre>
 */
public class ReadLockBenchmark extends Comparison {
    private final ReadWriteLock perCpu = new PerCpuReadWriteLock();
    private final ReadWriteLock reentrant = new ReentrantReadWriteLock();
    private final StampedLock stampedLock = new StampedLock();

    /** What the locks guard: two numbers that are the same. */
    private long first;

    private long second;

    @Benchmark
    @Role(value = OURS, task = "read", label = "`PerCpuReadWriteLock`")
    public long perCpuRead() {
        return read(perCpu);
    }

    @Benchmark
    @Role(value = PEER, task = "read", label = "`ReentrantReadWriteLock`")
    public long reentrantReadWriteLockRead() {
        return read(reentrant);
    }

    @Benchmark
    @Role(value = PEER, task = "read", label = "`StampedLock`")
    public long stampedLockRead() {
        long stamp = stampedLock.readLock();
        try {
            return first;
        } finally {
            stampedLock.unlockRead(stamp);
        }
    }

    /** No lock: if somebody wrote meanwhile, it reads again. So it suits only what may be read half changed. */
    @Benchmark
    @Role(value = NOT_COMPARABLE, task = "read", label = "`StampedLock`, optimistic")
    public long stampedLockOptimisticRead() {
        long stamp = stampedLock.tryOptimisticRead();
        long value = first;
        return stampedLock.validate(stamp) ? value : stampedLockRead();
    }

    @Benchmark
    @Role(value = OURS, task = "write", label = "`PerCpuReadWriteLock`")
    public void perCpuWrite() {
        write(perCpu);
    }

    @Benchmark
    @Role(value = PEER, task = "write", label = "`ReentrantReadWriteLock`")
    public void reentrantReadWriteLockWrite() {
        write(reentrant);
    }

    @Benchmark
    @Role(value = PEER, task = "write", label = "`StampedLock`")
    public void stampedLockWrite() {
        long stamp = stampedLock.writeLock();
        try {
            first++;
            second++;
        } finally {
            stampedLock.unlockWrite(stamp);
        }
    }

    private long read(ReadWriteLock lock) {
        Lock readLock = lock.readLock();
        readLock.lock();
        try {
            return first;
        } finally {
            readLock.unlock();
        }
    }

    private void write(ReadWriteLock lock) {
        Lock writeLock = lock.writeLock();
        writeLock.lock();
        try {
            first++;
            second++;
        } finally {
            writeLock.unlock();
        }
    }

    /** Checks that no write was lost and that nobody is inside any lock. */
    @Override
    void check(String benchmark, long operations) {
        long writes = benchmark.endsWith("Write") ? operations : 0;
        checkEqual("the first number", writes, first);
        checkEqual("the second number", writes, second);
        checkNobodyIsInside(perCpu, reentrant, stampedLock.asReadWriteLock());
    }

    static void checkNobodyIsInside(ReadWriteLock... locks) {
        for (ReadWriteLock lock : locks) {
            if (!lock.writeLock().tryLock()) {
                throw new IllegalStateException("somebody is still inside " + lock);
            }
            lock.writeLock().unlock();
        }
    }
}

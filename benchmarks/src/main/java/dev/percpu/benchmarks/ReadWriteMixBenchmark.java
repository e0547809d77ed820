package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.NOT_COMPARABLE;
import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.concurrent.locks.StampedLock;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What does a read-write lock cost on average, with so many writes in a thousand operations of each thread?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar ReadWriteMixBenchmark -t 2
 * </pre>
 *
 * <p>Which operation is a write is drawn at random, so that threads do not fall into step.
 */
public class ReadWriteMixBenchmark extends Comparison {
    private static final int THOUSAND = 1000;

    @Param({"0", "1", "10", "100", "500"})
    int writesInThousand;

    private final ReadWriteLock perCpu = new PerCpuReadWriteLock();
    private final ReadWriteLock reentrant = new ReentrantReadWriteLock();
    private final StampedLock stamped = new StampedLock();

    /** What the locks guard: two numbers that are the same. */
    private long first;

    private long second;

    /** A thread's random numbers. */
    @State(Scope.Thread)
    public static class Draw {
        private static final Queue<Draw> ALL = new ConcurrentLinkedQueue<>();

        private int seed = new Object().hashCode() | 1;
        private long writes;

        @Setup
        public void enlist() {
            ALL.add(this);
        }

        private boolean isWrite(int inThousand) {
            seed ^= seed << 13;
            seed ^= seed >>> 17;
            seed ^= seed << 5;
            boolean write = (((seed & 0xFFFF_FFFFL) * THOUSAND) >>> Integer.SIZE) < inThousand;
            if (write) {
                writes++;
            }
            return write;
        }
    }

    @Benchmark
    @Role(value = OURS, label = "`PerCpuReadWriteLock`")
    public long perCpu(Draw draw) {
        return mixed(perCpu, draw);
    }

    @Benchmark
    @Role(value = PEER, label = "`ReentrantReadWriteLock`")
    public long reentrantReadWriteLock(Draw draw) {
        return mixed(reentrant, draw);
    }

    @Benchmark
    @Role(value = PEER, label = "`StampedLock`")
    public long stampedLock(Draw draw) {
        if (draw.isWrite(writesInThousand)) {
            writeStamped();
            return 0;
        }
        return readStamped();
    }

    /**
     * Reads without a lock, and once more with it if somebody wrote meanwhile, as the class's documentation shows. So
     * it suits only what may be read half changed, as in {@link ReadLockBenchmark#stampedLockOptimisticRead}.
     */
    @Benchmark
    @Role(value = NOT_COMPARABLE, label = "`StampedLock`, optimistic reads")
    public long stampedLockOptimistic(Draw draw) {
        if (draw.isWrite(writesInThousand)) {
            writeStamped();
            return 0;
        }
        long stamp = stamped.tryOptimisticRead();
        if (stamp != 0) {
            long value = first;
            if (stamped.validate(stamp)) {
                return value;
            }
        }
        return readStamped();
    }

    private long readStamped() {
        long stamp = stamped.readLock();
        try {
            return first;
        } finally {
            stamped.unlockRead(stamp);
        }
    }

    private void writeStamped() {
        long stamp = stamped.writeLock();
        try {
            first++;
            second++;
        } finally {
            stamped.unlockWrite(stamp);
        }
    }

    private long mixed(ReadWriteLock lock, Draw draw) {
        if (draw.isWrite(writesInThousand)) {
            Lock writeLock = lock.writeLock();
            writeLock.lock();
            try {
                first++;
                second++;
            } finally {
                writeLock.unlock();
            }
            return 0;
        }
        Lock readLock = lock.readLock();
        readLock.lock();
        try {
            return first;
        } finally {
            readLock.unlock();
        }
    }

    /** Checks that no write was lost, and that nobody is inside any lock. */
    @Override
    void check(String benchmark, long operations) {
        long writes = Draw.ALL.stream().mapToLong(draw -> draw.writes).sum();
        checkEqual("the first number", writes, first);
        checkEqual("the second number", writes, second);
        ReadLockBenchmark.checkNobodyIsInside(perCpu, reentrant, stamped.asReadWriteLock());
    }
}

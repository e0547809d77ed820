package dev.percpu.benchmarks;

import dev.percpu.concurrent.PerCpuBoundedCounter;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import dev.percpu.concurrent.PerCpuRef;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Lock;

/**
 * Does an operation cost more processor time when there are many more threads than CPUs?
 *
 * <pre>
 * java --enable-native-access=ALL-UNNAMED -cp benchmarks/target/benchmarks.jar \
 *     dev.percpu.benchmarks.ManyThreads
 * </pre>
 */
public final class ManyThreads {
    /** More than there are carriers of virtual threads, and than threads can hold at a time by being preempted. */
    private static final int POOL = 256;

    private ManyThreads() {}

    /** Measures and prints. */
    @SuppressWarnings("LockNotBeforeTry") // nothing is done inside that could fail
    public static void main(String[] arguments) throws InterruptedException {
        PerCpuCounter perCpu = new PerCpuCounter();
        CpuTimePerOperation.print("PerCpuCounter.increment", times -> {
            for (int i = 0; i < times; i++) {
                perCpu.increment();
            }
        });
        PerCpuBoundedCounter bounded = new PerCpuBoundedCounter();
        CpuTimePerOperation.print("PerCpuBoundedCounter.tryAdd", times -> {
            for (int i = 0; i < times; i++) {
                boolean _ = bounded.tryAdd(1, Long.MAX_VALUE);
            }
        });
        PerCpuHistogram histogram = PerCpuHistogram.builder().build();
        CpuTimePerOperation.print("PerCpuHistogram.record", times -> {
            for (int i = 0; i < times; i++) {
                histogram.record(i & 0xfffff);
            }
        });
        PerCpuPool<Object> pool = PerCpuPool.builder(POOL, Object::new).build();
        CpuTimePerOperation.print("PerCpuPool, take and give back", times -> {
            for (int i = 0; i < times; i++) {
                pool.acquire().close();
            }
        });
        Lock readLock = new PerCpuReadWriteLock().readLock();
        CpuTimePerOperation.print("PerCpuReadWriteLock, read", times -> {
            for (int i = 0; i < times; i++) {
                readLock.lock();
                readLock.unlock();
            }
        });
        PerCpuRef ref = new PerCpuRef(() -> {});
        CpuTimePerOperation.print("PerCpuRef, tryGetLive and put", times -> {
            for (int i = 0; i < times; i++) {
                boolean _ = ref.tryGetLive();
                ref.put();
            }
        });
        LongAdder longAdder = new LongAdder();
        CpuTimePerOperation.print("LongAdder.increment", times -> {
            for (int i = 0; i < times; i++) {
                longAdder.increment();
            }
        });
        AtomicLong atomicLong = new AtomicLong();
        CpuTimePerOperation.print("AtomicLong.incrementAndGet", times -> {
            for (int i = 0; i < times; i++) {
                long _ = atomicLong.incrementAndGet();
            }
        });
    }
}

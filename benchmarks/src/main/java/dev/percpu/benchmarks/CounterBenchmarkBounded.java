package dev.percpu.benchmarks;

import dev.percpu.concurrent.PerCpuBoundedCounter;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * What does it cost to take one of a quota that all threads share, and to give it back: when the quota is far, and when
 * it is used up?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar CounterBenchmarkBounded -t 2 -prof gc
 * </pre>
 */
public class CounterBenchmarkBounded extends Comparison {
    private static final int QUOTA = 1_000_000;

    private final PerCpuBoundedCounter perCpu = new PerCpuBoundedCounter();
    private final PerCpuBoundedCounter perCpuFull = new PerCpuBoundedCounter();
    private final PerCpuBoundedCounter perCpuGrowing = new PerCpuBoundedCounter();
    private final AtomicLong atomicLong = new AtomicLong();
    private final AtomicLong atomicLongGrowing = new AtomicLong();
    private final AtomicLong atomicLongFull = new AtomicLong(QUOTA);
    private final Semaphore semaphore = new Semaphore(QUOTA);
    private final Semaphore semaphoreUsedUp = new Semaphore(0);

    /** Fills what is to be full. */
    public CounterBenchmarkBounded() {
        perCpuFull.add(QUOTA);
    }

    @Benchmark
    public void perCpuTryAddAndSub() {
        if (perCpu.tryAdd(1, QUOTA)) {
            perCpu.sub(1);
        }
    }

    /** With nothing given back, each CPU's credit is used up again and again. */
    @Benchmark
    public boolean perCpuTryAdd() {
        return perCpuGrowing.tryAdd(1, Long.MAX_VALUE);
    }

    @Benchmark
    public boolean perCpuRefused() {
        return perCpuFull.tryAdd(1, QUOTA);
    }

    @Benchmark
    public long perCpuEstimate() {
        return perCpu.estimate();
    }

    @Benchmark
    public void atomicLongTryAddAndSub() {
        if (tryAdd(atomicLong, QUOTA)) {
            long _ = atomicLong.addAndGet(-1);
        }
    }

    @Benchmark
    public boolean atomicLongTryAdd() {
        return tryAdd(atomicLongGrowing, Long.MAX_VALUE);
    }

    @Benchmark
    public boolean atomicLongRefused() {
        return tryAdd(atomicLongFull, QUOTA);
    }

    @Benchmark
    public void semaphoreTryAcquireAndRelease() {
        if (semaphore.tryAcquire()) {
            semaphore.release();
        }
    }

    @Benchmark
    public boolean semaphoreRefused() {
        return semaphoreUsedUp.tryAcquire();
    }

    private static boolean tryAdd(AtomicLong count, long limit) {
        while (true) {
            long old = count.get();
            if (old + 1 > limit) {
                return false;
            }
            if (count.compareAndSet(old, old + 1)) {
                return true;
            }
        }
    }
}

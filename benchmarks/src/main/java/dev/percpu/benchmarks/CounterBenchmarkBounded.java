package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.NOT_COMPARABLE;
import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
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

    /** No constant, so that everybody compares. */
    private long farAway = Long.MAX_VALUE - 1;

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
    @Role(value = OURS, task = "take and give back", label = "`PerCpuBoundedCounter.tryAdd`, `sub`")
    public void perCpuTryAddAndSub() {
        if (!perCpu.tryAdd(1, QUOTA)) {
            throw refused();
        }
        perCpu.sub(1);
    }

    /** With nothing given back, each CPU's credit is used up again and again. */
    @Benchmark
    @Role(value = OURS, task = "take", label = "`PerCpuBoundedCounter.tryAdd`")
    public boolean perCpuTryAdd() {
        return perCpuGrowing.tryAdd(1, farAway);
    }

    @Benchmark
    @Role(value = OURS, task = "be refused", label = "`PerCpuBoundedCounter.tryAdd`, refused")
    public boolean perCpuRefused() {
        return perCpuFull.tryAdd(1, QUOTA);
    }

    @Benchmark
    @Role(value = OURS, task = "read", label = "`PerCpuBoundedCounter.estimate`")
    public long perCpuEstimate() {
        return perCpu.estimate();
    }

    @Benchmark
    @Role(value = PEER, task = "take and give back", label = "`AtomicLong`, compare and set")
    public void atomicLongTryAddAndSub() {
        if (!tryAdd(atomicLong, QUOTA)) {
            throw refused();
        }
        long _ = atomicLong.addAndGet(-1);
    }

    @Benchmark
    @Role(value = PEER, task = "take", label = "`AtomicLong`, compare and set")
    public boolean atomicLongTryAdd() {
        return tryAdd(atomicLongGrowing, farAway);
    }

    /** One instruction instead of a loop. While others are about to undo, it refuses what would fit. */
    @Benchmark
    @Role(value = NOT_COMPARABLE, task = "take", label = "`AtomicLong`, add, and undo above the limit")
    public boolean atomicLongAddOrUndo() {
        if (atomicLongGrowing.incrementAndGet() <= farAway) {
            return true;
        }
        long _ = atomicLongGrowing.decrementAndGet();
        return false;
    }

    @Benchmark
    @Role(value = PEER, task = "read", label = "`AtomicLong.get`")
    public long atomicLongGet() {
        return atomicLong.get();
    }

    @Benchmark
    @Role(value = PEER, task = "be refused", label = "`AtomicLong`, refused")
    public boolean atomicLongRefused() {
        return tryAdd(atomicLongFull, QUOTA);
    }

    @Benchmark
    @Role(value = PEER, task = "take and give back", label = "`Semaphore.tryAcquire`, `release`")
    public void semaphoreTryAcquireAndRelease() {
        if (!semaphore.tryAcquire()) {
            throw refused();
        }
        semaphore.release();
    }

    @Benchmark
    @Role(value = PEER, task = "be refused", label = "`Semaphore.tryAcquire`, refused")
    public boolean semaphoreRefused() {
        return semaphoreUsedUp.tryAcquire();
    }

    /** With a quota that is far, nobody is refused. */
    private static IllegalStateException refused() {
        return new IllegalStateException("refused");
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

    @Override
    void check(String benchmark, long operations) {
        boolean grows = benchmark.endsWith("TryAdd") || benchmark.equals("atomicLongAddOrUndo");
        checkEqual("taken", grows ? operations : 0, perCpuGrowing.sum() + atomicLongGrowing.get());
        checkEqual("not given back", 0, perCpu.sum() + atomicLong.get() + QUOTA - semaphore.availablePermits());
        checkEqual("the full per-CPU counter", QUOTA, perCpuFull.sum());
        checkEqual("the full atomic number", QUOTA, atomicLongFull.get());
        checkEqual("the used-up semaphore", 0, semaphoreUsedUp.availablePermits());
    }
}

package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.CpuGuard;
import dev.percpu.benchmarks.measure.Role;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import java.util.concurrent.locks.ReentrantLock;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * What does it cost to acquire the guard and close it, with nothing done in between?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar GuardBenchmark -t 1 -prof gc
 * java -jar benchmarks/target/benchmarks.jar GuardBenchmark -t 2 -prof gc
 * </pre>
 *
 * <p>The guard object itself must cost nothing: {@code gc.alloc.rate.norm} is to be 0 bytes.
 */
public class GuardBenchmark extends Comparison {
    private static final ReentrantLock LOCK = new ReentrantLock();
    private static final Object MONITOR = new Object();

    @Benchmark
    @Role(value = OURS, label = "`CpuGuard`, acquire and close")
    public void perCpuAcquireRelease() {
        try (CpuGuard _ = CpuGuard.acquire()) {
            // nothing
        }
    }

    @Benchmark
    @Role(value = PEER, label = "`ReentrantLock`")
    public void reentrantLock() {
        LOCK.lock();
        try {
            // nothing
        } finally {
            LOCK.unlock();
        }
    }

    @Benchmark
    @Role(value = PEER, label = "`synchronized`")
    public void synchronizedBlock() {
        synchronized (MONITOR) {
            // nothing
        }
    }

    @Override
    void check(String benchmark, long operations) {
        for (CpuId cpu : CpuMask.possible()) {
            CpuGuard.owner(cpu).ifPresent(owner -> {
                throw new IllegalStateException(owner + " still holds the guard of " + cpu);
            });
        }
        if (LOCK.isLocked()) {
            throw new IllegalStateException("somebody still holds " + LOCK);
        }
    }
}

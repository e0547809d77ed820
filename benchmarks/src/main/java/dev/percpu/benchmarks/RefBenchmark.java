package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuRef;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;

/**
 * What does it cost to take a reference and give it back?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar RefBenchmark -t 1 -prof gc
 * java -jar benchmarks/target/benchmarks.jar RefBenchmark -t 2 -prof gc
 * </pre>
 *
 * <p>{@link #atomicLong} is what a reference count usually is, less the checks.
 */
public class RefBenchmark extends Comparison {
    private int releases;
    private final PerCpuRef ref = new PerCpuRef(() -> releases++);
    private final PerCpuRef killed = new PerCpuRef(() -> releases++);
    private final AtomicLong atomicLong = new AtomicLong(1);

    /** The killed ref stays in use. */
    @Setup
    public void kill() {
        killed.get();
        killed.kill();
    }

    @Benchmark
    @Role(value = OURS, label = "`get` and `put`")
    public void perCpuGetPut() {
        ref.get();
        ref.put();
    }

    @Benchmark
    @Role(value = OURS, label = "`tryGetLive` and `put`")
    public void perCpuTryGetLivePut() {
        if (!ref.tryGetLive()) {
            throw new IllegalStateException("not live");
        }
        ref.put();
    }

    /** The same once the count is one atomic number. */
    @Benchmark
    @Role(value = OURS, label = "`get` and `put` after `kill`")
    public void perCpuGetPutKilled() {
        killed.get();
        killed.put();
    }

    @Benchmark
    @Role(value = PEER, label = "`AtomicLong`, up and down")
    public void atomicLong() {
        atomicLong.incrementAndGet();
        atomicLong.decrementAndGet();
    }

    /** Checks that each get was put. */
    @Override
    void check(String benchmark, long operations) {
        killed.put();
        ref.kill();
        if (releases != 2 || atomicLong.get() != 1) {
            throw new IllegalStateException(
                    ref + "; " + killed + "; " + releases + " releases; atomic count " + atomicLong);
        }
    }
}

package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuCounter;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Setup;

/** Counts, and loses one operation, in the last iteration. */
public class LossyBenchmark extends CountingComparison {
    /** Of {@link LostUpdateTest}, the warm-up included. */
    static final int ITERATIONS = 3;

    private final PerCpuCounter counter = new PerCpuCounter();
    private int iteration;
    private boolean lost;

    @Setup(Level.Iteration)
    public void next() {
        iteration++;
    }

    @Benchmark
    @Role(value = OURS, task = "count")
    public void exact() {
        counter.increment();
    }

    @Benchmark
    @Role(value = OURS, task = "lose one")
    public void lossy() {
        if (iteration == ITERATIONS && !lost) {
            lost = true;
        } else {
            counter.increment();
        }
    }

    @Override
    long total() {
        return counter.sum();
    }
}

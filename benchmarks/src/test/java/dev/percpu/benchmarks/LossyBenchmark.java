package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuCounter;
import org.openjdk.jmh.annotations.Benchmark;

/** Counts, and loses one operation of many. */
public class LossyBenchmark extends CountingComparison {
    private static final int LOST = 1000;

    private final PerCpuCounter counter = new PerCpuCounter();
    private int operations;

    @Benchmark
    @Role(value = OURS, task = "count")
    public void exact() {
        counter.increment();
    }

    @Benchmark
    @Role(value = OURS, task = "lose one")
    public void lossy() {
        if (operations++ != LOST) {
            counter.increment();
        }
    }

    @Override
    long total() {
        return counter.sum();
    }
}

package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.FLOOR;

import dev.percpu.benchmarks.measure.Role;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * What does a critical call of a C function cost that only returns? It is the floor for any library in Java that calls
 * machine code, and stands beside every comparison.
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar FloorBenchmark
 * </pre>
 */
public class FloorBenchmark extends Comparison {
    @Benchmark
    @Role(value = FLOOR, label = "an empty call")
    public void emptyCall() {
        EmptyCall.call();
    }

    @Override
    void check(String benchmark, long operations) {
        // An empty call leaves nothing that could be checked.
    }
}

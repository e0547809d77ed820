package dev.percpu.benchmarks;

import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.runner.IterationType;

/**
 * Makes a trial fail that lost an update, or left an object behind. It is a profiler, since JMH tells those how many
 * operations all threads made: so nothing is counted in the code that is measured.
 *
 * <p>After the last iteration, when no thread is running, it hands that number to the benchmark's own check. It counts
 * the operations of the warm-up too, and those before and after a measurement, while other threads start and stop.
 */
public final class Exactness implements InternalProfiler {
    /** The state of the trial that is running: each runs alone in its JVM. */
    private static volatile @Nullable Comparison subject;

    private long operations;
    private int measured;

    /** Whose check is to be called. */
    static void watch(Comparison comparison) {
        subject = comparison;
    }

    @Override
    public String getDescription() {
        return "Checks that each operation has had its effect";
    }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
        // JMH tells the number of operations afterwards.
    }

    @Override
    public Collection<? extends Result<?>> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        operations += result.getMetadata().getAllOps();
        if (iteration.getType() == IterationType.MEASUREMENT && ++measured == iteration.getCount()) {
            String name = benchmark.getBenchmark();
            Comparison comparison = subject;
            if (comparison == null) {
                throw new IllegalStateException(name + " is no " + Comparison.class.getSimpleName());
            }
            comparison.check(name.substring(name.lastIndexOf('.') + 1), operations);
        }
        return List.of();
    }
}

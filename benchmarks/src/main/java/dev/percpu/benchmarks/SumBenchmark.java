package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.Role.Kind.OURS;
import static dev.percpu.benchmarks.Role.Kind.PEER;

import dev.percpu.PerCpuNumeric;
import dev.percpu.memory.NumericWidth;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;

/**
 * What does it cost to read a counter's total while nobody updates it? A per-CPU number reads one cache line for each
 * possible CPU, a striped one a line for each cell that contention made.
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar SumBenchmark
 * </pre>
 */
public class SumBenchmark extends Comparison {
    private static final int COUNTS = 100_000;

    private final PerCpuNumeric numeric = PerCpuNumeric.create(NumericWidth.LONG);
    private final LongAdder longAdder = new LongAdder();
    private final AtomicLong atomicLong = new AtomicLong();

    /** Counts from several threads at a time, so that the adder has as many cells as it would have in use. */
    @Setup
    public void count() throws InterruptedException {
        Thread[] threads = new Thread[Runtime.getRuntime().availableProcessors()];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = Thread.ofPlatform().start(() -> {
                for (int count = 0; count < COUNTS; count++) {
                    numeric.increment();
                    longAdder.increment();
                    atomicLong.incrementAndGet();
                }
            });
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    @Benchmark
    @Role(value = OURS, label = "`PerCpuNumeric.sum`")
    public long perCpuSum() {
        return numeric.sum();
    }

    @Benchmark
    @Role(value = PEER, label = "`LongAdder.sum`")
    public long longAdderSum() {
        return longAdder.sum();
    }

    @Benchmark
    @Role(value = PEER, label = "`AtomicLong.get`")
    public long atomicLongGet() {
        return atomicLong.get();
    }

    @Override
    void check(String benchmark, long operations) {
        long counted = (long) Runtime.getRuntime().availableProcessors() * COUNTS;
        checkEqual("the per-CPU number", counted, numeric.sum());
        checkEqual("the adder", counted, longAdder.sum());
        checkEqual("the atomic number", counted, atomicLong.get());
    }
}

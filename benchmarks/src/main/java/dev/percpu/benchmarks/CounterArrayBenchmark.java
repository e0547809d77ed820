package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuCounterArray;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What does it cost to count in one of 4096 counters, chosen by an index that changes with each update; and to read
 * them all while nobody counts?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar CounterArrayBenchmark -t 1 -prof gc
 * java -jar benchmarks/target/benchmarks.jar CounterArrayBenchmark -t 2 -prof gc
 * </pre>
 */
public class CounterArrayBenchmark extends CountingComparison {
    private static final int LENGTH = 4096;

    private final PerCpuCounterArray perCpu = new PerCpuCounterArray(LENGTH);
    private final AtomicLongArray atomics = new AtomicLongArray(LENGTH);
    private final LongAdder[] adders =
            Stream.generate(LongAdder::new).limit(LENGTH).toArray(LongAdder[]::new);

    /** Which counter comes next: a few often, many rarely, as labels of metrics are. */
    @State(Scope.Thread)
    public static class Indexes {
        private static final int COUNT = 1 << 12;

        private final int[] indexes = new int[COUNT];
        private int next;

        @Setup
        public void draw() {
            ThreadLocalRandom random = ThreadLocalRandom.current();
            Arrays.setAll(indexes, i -> random.nextInt(1 << random.nextInt(1, 13)));
        }

        int next() {
            return indexes[next++ & (COUNT - 1)];
        }
    }

    @Benchmark
    @Role(value = OURS, task = "increment", label = "`PerCpuCounterArray.increment`")
    public void perCpuIncrement(Indexes indexes) {
        perCpu.increment(indexes.next());
    }

    @Benchmark
    @Role(value = PEER, task = "increment", label = "`AtomicLongArray.incrementAndGet`")
    public void atomicLongArrayIncrement(Indexes indexes) {
        atomics.incrementAndGet(indexes.next());
    }

    @Benchmark
    @Role(value = PEER, task = "increment", label = "an array of `LongAdder`s")
    public void longAddersIncrement(Indexes indexes) {
        adders[indexes.next()].increment();
    }

    @Benchmark
    @Role(value = OURS, task = "all sums", label = "`PerCpuCounterArray.sums`")
    public long[] perCpuSums() {
        return perCpu.sums();
    }

    @Benchmark
    @Role(value = PEER, task = "all sums", label = "`AtomicLongArray.get` of each")
    public long[] atomicLongArrayGets() {
        long[] values = new long[LENGTH];
        Arrays.setAll(values, atomics::get);
        return values;
    }

    @Benchmark
    @Role(value = PEER, task = "all sums", label = "`LongAdder.sum` of each")
    public long[] longAdderSums() {
        long[] sums = new long[LENGTH];
        Arrays.setAll(sums, index -> adders[index].sum());
        return sums;
    }

    @Override
    boolean counts(String benchmark) {
        return benchmark.endsWith("Increment");
    }

    @Override
    long total() {
        return LongStream.of(perCpu.sums()).sum()
                + LongStream.of(atomicLongArrayGets()).sum()
                + LongStream.of(longAdderSums()).sum();
    }
}

package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.FLOOR;
import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAdder;
import org.jctools.counters.Counter;
import org.jctools.counters.CountersFactory;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/**
 * What does it cost to count in one counter that all threads share?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar CounterBenchmark -t 1 -prof gc
 * java -jar benchmarks/target/benchmarks.jar CounterBenchmark -t 2 -prof gc
 * java -jar benchmarks/target/benchmarks.jar CounterBenchmark -t 8 -prof gc
 * </pre>
 *
 * <p>The JCTools counter has as many stripes as it takes for each of the CPUs to have one of its own most of the time.
 */
public class CounterBenchmark extends CountingComparison {
    private static final int STRIPES = 4 * Runtime.getRuntime().availableProcessors();

    private final PerCpuCounter perCpu = new PerCpuCounter();
    private final PerCpuDoubleCounter perCpuDouble = new PerCpuDoubleCounter();
    private final LongAdder longAdder = new LongAdder();
    private final DoubleAdder doubleAdder = new DoubleAdder();
    private final Counter jcTools = CountersFactory.createFixedSizeStripedCounter(STRIPES);
    private final AtomicLong atomicLong = new AtomicLong();

    @Benchmark
    @Role(value = OURS, task = "increment", label = "`PerCpuCounter.increment`")
    public void perCpuIncrement() {
        perCpu.increment();
    }

    @Benchmark
    @Role(value = OURS, task = "add a double", label = "`PerCpuDoubleCounter.add`")
    public void perCpuAddDouble() {
        perCpuDouble.add(1);
    }

    /** What the counter's call makes, without the call. */
    @Benchmark
    @Role(value = FLOOR, task = "increment", label = "the sequence of an addition, inlined in C")
    @OperationsPerInvocation(InlinedSequence.OPERATIONS)
    public void cSequence(InlinedSequence sequence) {
        sequence.add();
    }

    @Benchmark
    @Role(value = PEER, task = "increment", label = "`LongAdder.increment`")
    public void longAdderIncrement() {
        longAdder.increment();
    }

    @Benchmark
    @Role(value = PEER, task = "add a double", label = "`DoubleAdder.add`")
    public void doubleAdderAdd() {
        doubleAdder.add(1);
    }

    @Benchmark
    @Role(value = PEER, task = "increment", label = "JCTools striped counter")
    public void jcToolsStripedIncrement() {
        jcTools.inc();
    }

    @Benchmark
    @Role(value = PEER, task = "increment", label = "`AtomicLong.incrementAndGet`")
    public long atomicLongIncrement() {
        return atomicLong.incrementAndGet();
    }

    /** The sequence in C checks its own count. */
    @Override
    boolean counts(String benchmark) {
        return !benchmark.equals("cSequence");
    }

    @Override
    long total() {
        return perCpu.sum()
                + (long) perCpuDouble.sum()
                + longAdder.sum()
                + (long) doubleAdder.sum()
                + jcTools.get()
                + atomicLong.get();
    }
}

package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.Role.Kind.OURS;
import static dev.percpu.benchmarks.Role.Kind.PEER;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAdder;
import org.jctools.counters.Counter;
import org.jctools.counters.CountersFactory;
import org.openjdk.jmh.annotations.Benchmark;

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
    public void perCpuIncrement(Calls calls) {
        calls.count();
        perCpu.increment();
    }

    @Benchmark
    @Role(value = OURS, task = "add a double", label = "`PerCpuDoubleCounter.add`")
    public void perCpuAddDouble(Calls calls) {
        calls.count();
        perCpuDouble.add(1);
    }

    @Benchmark
    @Role(value = PEER, task = "increment", label = "`LongAdder.increment`")
    public void longAdderIncrement(Calls calls) {
        calls.count();
        longAdder.increment();
    }

    @Benchmark
    @Role(value = PEER, task = "add a double", label = "`DoubleAdder.add`")
    public void doubleAdderAdd(Calls calls) {
        calls.count();
        doubleAdder.add(1);
    }

    @Benchmark
    @Role(value = PEER, task = "increment", label = "JCTools striped counter")
    public void jcToolsStripedIncrement(Calls calls) {
        calls.count();
        jcTools.inc();
    }

    @Benchmark
    @Role(value = PEER, task = "increment", label = "`AtomicLong.incrementAndGet`")
    public long atomicLongIncrement(Calls calls) {
        calls.count();
        return atomicLong.incrementAndGet();
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

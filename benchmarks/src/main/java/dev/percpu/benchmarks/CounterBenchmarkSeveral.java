package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/**
 * What does it cost to count in eight counters, one after the other, as a server does that counts several things of
 * each request? With one counter in a loop each addition waits for the store of the one before; here they overlap.
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar CounterBenchmarkSeveral -t 1 -prof gc
 * java -jar benchmarks/target/benchmarks.jar CounterBenchmarkSeveral -t 2 -prof gc
 * java -jar benchmarks/target/benchmarks.jar CounterBenchmarkSeveral -t 2 -jvmArgsAppend -Djmh.executor=VIRTUAL
 * </pre>
 *
 * <p>An operation is one addition.
 */
public class CounterBenchmarkSeveral extends CountingComparison {
    private static final int COUNTERS = 8;

    private final PerCpuCounter[] perCpu = several(PerCpuCounter::new).toArray(PerCpuCounter[]::new);
    private final PerCpuDoubleCounter[] perCpuDoubles =
            several(PerCpuDoubleCounter::new).toArray(PerCpuDoubleCounter[]::new);
    private final LongAdder[] longAdders = several(LongAdder::new).toArray(LongAdder[]::new);
    private final DoubleAdder[] doubleAdders = several(DoubleAdder::new).toArray(DoubleAdder[]::new);
    private final AtomicLong[] atomicLongs = several(AtomicLong::new).toArray(AtomicLong[]::new);

    private static <T> Stream<T> several(Supplier<T> supplier) {
        return IntStream.range(0, COUNTERS).mapToObj(_ -> supplier.get());
    }

    @Benchmark
    @Role(value = OURS, task = "increment", label = "`PerCpuCounter.increment`")
    @OperationsPerInvocation(COUNTERS)
    public void perCpuIncrement() {
        for (PerCpuCounter counter : perCpu) {
            counter.increment();
        }
    }

    @Benchmark
    @Role(value = OURS, task = "add a double", label = "`PerCpuDoubleCounter.add`")
    @OperationsPerInvocation(COUNTERS)
    public void perCpuAddDouble() {
        for (PerCpuDoubleCounter counter : perCpuDoubles) {
            counter.add(1);
        }
    }

    @Benchmark
    @Role(value = PEER, task = "increment", label = "`LongAdder.increment`")
    @OperationsPerInvocation(COUNTERS)
    public void longAdderIncrement() {
        for (LongAdder adder : longAdders) {
            adder.increment();
        }
    }

    @Benchmark
    @Role(value = PEER, task = "add a double", label = "`DoubleAdder.add`")
    @OperationsPerInvocation(COUNTERS)
    public void doubleAdderAdd() {
        for (DoubleAdder adder : doubleAdders) {
            adder.add(1);
        }
    }

    @Benchmark
    @Role(value = PEER, task = "increment", label = "`AtomicLong.incrementAndGet`")
    @OperationsPerInvocation(COUNTERS)
    public void atomicLongIncrement() {
        for (AtomicLong number : atomicLongs) {
            number.incrementAndGet();
        }
    }

    @Override
    long total() {
        return Stream.of(perCpu).mapToLong(PerCpuCounter::sum).sum()
                + (long) Stream.of(perCpuDoubles)
                        .mapToDouble(PerCpuDoubleCounter::sum)
                        .sum()
                + Stream.of(longAdders).mapToLong(LongAdder::sum).sum()
                + (long) Stream.of(doubleAdders).mapToDouble(DoubleAdder::sum).sum()
                + Stream.of(atomicLongs).mapToLong(AtomicLong::get).sum();
    }
}

package dev.percpu.benchmarks;

import dev.percpu.concurrent.PerCpuBoundedCounter;
import dev.percpu.concurrent.PerCpuCounter;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * Does counting cost more processor time when there are many more threads than CPUs?
 *
 * <pre>
 * java --enable-native-access=ALL-UNNAMED -cp benchmarks/target/benchmarks.jar \
 *     dev.percpu.benchmarks.CounterBenchmarkCpuTime
 * </pre>
 */
public final class CounterBenchmarkCpuTime {
    private CounterBenchmarkCpuTime() {}

    /** Measures and prints. */
    public static void main(String[] arguments) throws InterruptedException {
        PerCpuCounter perCpu = new PerCpuCounter();
        LongAdder longAdder = new LongAdder();
        AtomicLong atomicLong = new AtomicLong();
        CpuTimePerOperation.print("PerCpuCounter.increment", times -> {
            for (int i = 0; i < times; i++) {
                perCpu.increment();
            }
        });
        PerCpuBoundedCounter bounded = new PerCpuBoundedCounter();
        CpuTimePerOperation.print("PerCpuBoundedCounter.tryAdd", times -> {
            for (int i = 0; i < times; i++) {
                boolean _ = bounded.tryAdd(1, Long.MAX_VALUE);
            }
        });
        CpuTimePerOperation.print("LongAdder.increment", times -> {
            for (int i = 0; i < times; i++) {
                longAdder.increment();
            }
        });
        CpuTimePerOperation.print("AtomicLong.incrementAndGet", times -> {
            for (int i = 0; i < times; i++) {
                long _ = atomicLong.incrementAndGet();
            }
        });
    }
}

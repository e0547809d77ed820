package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.NOT_COMPARABLE;
import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.PerCpuNumeric;
import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.memory.NumericWidth;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What does it cost to read a counter's total while nobody updates it; and to count once, read the total and reset it,
 * as one who exports differences does? A per-CPU number reads one cache line for each possible CPU, a striped one a
 * line for each cell that contention made.
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar SumBenchmark
 * </pre>
 */
public class SumBenchmark extends Comparison {
    private static final String RESET = "count, sum and reset";
    private static final int COUNTS = 100_000;

    private final PerCpuNumeric numeric = PerCpuNumeric.create(NumericWidth.LONG);
    private final PerCpuCounter counter = new PerCpuCounter();
    private final LongAdder longAdder = new LongAdder();
    private final AtomicLong atomicLong = new AtomicLong();

    /** What a thread has got from resets. */
    @State(Scope.Thread)
    public static class Taken {
        private static final Queue<Taken> ALL = new ConcurrentLinkedQueue<>();

        private long total;

        @Setup
        public void enlist() {
            ALL.add(this);
        }
    }

    /** Counts from several threads at a time, so that the adder has as many cells as it would have in use. */
    @Setup
    public void count() throws InterruptedException {
        Thread[] threads = new Thread[Runtime.getRuntime().availableProcessors()];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = Thread.ofPlatform().start(() -> {
                for (int count = 0; count < COUNTS; count++) {
                    numeric.increment();
                    counter.increment();
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
    @Role(value = OURS, label = "`PerCpuCounter.sum`")
    public long perCpuCounterSum() {
        return counter.sum();
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

    @Benchmark
    @Role(value = OURS, task = RESET, label = "`PerCpuCounter.sumThenReset`")
    public void perCpuReset(Taken taken) {
        counter.increment();
        taken.total += counter.sumThenReset();
    }

    /** It can lose what others count at the same moment, and says so. */
    @Benchmark
    @Role(value = NOT_COMPARABLE, task = RESET, label = "`LongAdder.sumThenReset`, not exact")
    public void longAdderReset(Taken taken) {
        longAdder.increment();
        taken.total += longAdder.sumThenReset();
    }

    @Benchmark
    @Role(value = PEER, task = RESET, label = "`AtomicLong.getAndSet`")
    public void atomicLongReset(Taken taken) {
        atomicLong.incrementAndGet();
        taken.total += atomicLong.getAndSet(0);
    }

    @Override
    void check(String benchmark, long operations) {
        long counted = (long) Runtime.getRuntime().availableProcessors() * COUNTS;
        checkEqual("the per-CPU number", counted, numeric.sum());
        long taken = Taken.ALL.stream().mapToLong(each -> each.total).sum();
        checkLeft("the per-CPU counter", benchmark.equals("perCpuReset"), operations, taken, counter.sum());
        checkLeft("the atomic number", benchmark.equals("atomicLongReset"), operations, taken, atomicLong.get());
        if (!benchmark.equals("longAdderReset")) {
            checkEqual("the adder", counted, longAdder.sum());
        }
    }

    /** What was taken by resets, and what is left, is all that was counted. */
    private static void checkLeft(String what, boolean isReset, long operations, long taken, long left) {
        long counted = (long) Runtime.getRuntime().availableProcessors() * COUNTS;
        checkEqual(what, isReset ? counted + operations : counted, isReset ? taken + left : left);
    }
}

package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.FLOOR;
import static dev.percpu.benchmarks.measure.Role.Kind.NOT_COMPARABLE;
import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.PerCpuNumeric;
import dev.percpu.benchmarks.measure.Role;
import dev.percpu.memory.NumericWidth;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/**
 * What does it cost to add 1 to a counter that all threads share, and how far is that from the bare sequence?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar AddBenchmark -t 1
 * java -jar benchmarks/target/benchmarks.jar AddBenchmark -t 2
 * </pre>
 *
 * <p>Two floors tell what is left to gain. {@link #cSequence} has the sequence inlined, as no Java library can; a
 * processor that forwards a store to the next load without delay runs several of them in the time of a call.
 * {@link FloorBenchmark} has what the call alone costs.
 *
 * <p>{@link #threadLocalAdd} is no counter that could be summed: it is what a plain addition costs if finding its place
 * is all that is left to do.
 */
public class AddBenchmark extends CountingComparison {
    private static final PerCpuNumeric LONG = PerCpuNumeric.define("benchmark long", NumericWidth.LONG);
    private static final PerCpuNumeric INT = PerCpuNumeric.define("benchmark int", NumericWidth.INT);
    private static final ThreadLocal<long[]> PER_THREAD = ThreadLocal.withInitial(() -> new long[1]);

    private final PerCpuNumeric dynamic = PerCpuNumeric.create(NumericWidth.LONG);

    private final AtomicLong atomicLong = new AtomicLong();
    private final LongAdder longAdder = new LongAdder();
    private final Object monitor = new Object();
    private long underMonitor;
    private final ReentrantLock lock = new ReentrantLock();
    private long underLock;

    @Benchmark
    @Role(value = OURS, label = "`PerCpuNumeric.add`, static")
    public void perCpuAdd() {
        LONG.add(1);
    }

    @Benchmark
    @Role(value = OURS, label = "`PerCpuNumeric.add` of an `int`")
    public void perCpuAddInt() {
        INT.add(1);
    }

    /** The numeric is found through a field, so the JIT compiler knows nothing about it beforehand. */
    @Benchmark
    @Role(value = OURS, label = "`PerCpuNumeric.add`, dynamic")
    public void perCpuDynamicAdd() {
        dynamic.add(1);
    }

    @Benchmark
    @Role(value = FLOOR, label = "the same sequence inlined in C")
    @OperationsPerInvocation(InlinedSequence.OPERATIONS)
    public void cSequence(InlinedSequence sequence) {
        sequence.add();
    }

    @Benchmark
    @Role(value = PEER, label = "`AtomicLong.incrementAndGet`")
    public long atomicLongAdd() {
        return atomicLong.incrementAndGet();
    }

    @Benchmark
    @Role(value = PEER, label = "`LongAdder.add`")
    public void longAdderAdd() {
        longAdder.add(1);
    }

    @Benchmark
    @Role(value = PEER, label = "`synchronized`")
    public void synchronizedAdd() {
        synchronized (monitor) {
            underMonitor++;
        }
    }

    @Benchmark
    @Role(value = PEER, label = "under a `ReentrantLock`")
    public void reentrantLockAdd() {
        lock.lock();
        try {
            underLock++;
        } finally {
            lock.unlock();
        }
    }

    @Benchmark
    @Role(value = NOT_COMPARABLE, label = "`ThreadLocal` and a plain addition")
    public void threadLocalAdd() {
        PER_THREAD.get()[0]++;
    }

    /** The sequence in C checks its own count. */
    @Override
    boolean counts(String benchmark) {
        return !benchmark.equals("cSequence") && !benchmark.equals("threadLocalAdd");
    }

    @Override
    long total() {
        return LONG.sum() + INT.sum() + dynamic.sum() + atomicLong.get() + longAdder.sum() + underMonitor + underLock;
    }
}

package dev.percpu.benchmarks;

import dev.percpu.NumericWidth;
import dev.percpu.PerCpuNumeric;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What does it cost to add 1 to a counter that all threads share, and how far is that from the bare sequence?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar AddBenchmark -t 1
 * java -jar benchmarks/target/benchmarks.jar AddBenchmark -t 2
 * </pre>
 *
 * <p>{@link #threadLocalAdd} is no counter that could be summed: it is what a plain addition costs if finding its place
 * is all that is left to do.
 */
public class AddBenchmark extends Comparison {
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
    public void perCpuAdd() {
        LONG.add(1);
    }

    @Benchmark
    public void perCpuAddInt() {
        INT.add(1);
    }

    /** The numeric is found through a field, so the JIT compiler knows nothing about it beforehand. */
    @Benchmark
    public void perCpuDynamicAdd() {
        dynamic.add(1);
    }

    @Benchmark
    @OperationsPerInvocation(InlinedSequence.OPERATIONS)
    public void cSequence(InlinedSequence sequence) {
        sequence.add();
    }

    @Benchmark
    public long atomicLongAdd() {
        return atomicLong.incrementAndGet();
    }

    @Benchmark
    public void longAdderAdd() {
        longAdder.add(1);
    }

    @Benchmark
    public void synchronizedAdd() {
        synchronized (monitor) {
            underMonitor++;
        }
    }

    @Benchmark
    public void reentrantLockAdd() {
        lock.lock();
        try {
            underLock++;
        } finally {
            lock.unlock();
        }
    }

    @Benchmark
    public void threadLocalAdd() {
        PER_THREAD.get()[0]++;
    }

    @TearDown
    public void checkExactness() throws InterruptedException {
        Exactness.check("perCpuAdd", this::perCpuAdd, LONG::sum);
        Exactness.check("perCpuAddInt", this::perCpuAddInt, INT::sum);
        Exactness.check("perCpuDynamicAdd", this::perCpuDynamicAdd, dynamic::sum);
        Exactness.check("atomicLongAdd", this::atomicLongAdd, atomicLong::get);
        Exactness.check("longAdderAdd", this::longAdderAdd, longAdder::sum);
        Exactness.check("synchronizedAdd", this::synchronizedAdd, () -> underMonitor);
        Exactness.check("reentrantLockAdd", this::reentrantLockAdd, () -> underLock);
        dynamic.close();
    }
}

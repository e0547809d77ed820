package dev.percpu.benchmarks;

import dev.percpu.CpuGuard;
import dev.percpu.NumericCell;
import dev.percpu.NumericWidth;
import dev.percpu.PerCpu;
import dev.percpu.PerCpuNumeric;
import dev.percpu.StaticPerCpu;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToLongFunction;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What does it cost to change a guarded object: two fields, in one step that nobody sees half done?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar GuardedUpdateBenchmark -t 1 -prof gc
 * java -jar benchmarks/target/benchmarks.jar GuardedUpdateBenchmark -t 2 -prof gc
 * </pre>
 *
 * <p>Neither guard nor token may be allocated: {@code gc.alloc.rate.norm} is to be 0 bytes. {@link #atomicLong} changes
 * one number only, as does {@link #perCpuGuardedAdd}.
 */
public class GuardedUpdateBenchmark extends Comparison {
    private static final StaticPerCpu<Statistics> STATISTICS =
            StaticPerCpu.define("benchmark statistics", Statistics::new);
    private static final StaticPerCpu<NumericCell> CELL =
            StaticPerCpu.defineNumeric("benchmark cell", NumericWidth.LONG, 0);
    private static final StaticPerCpu<NumericCell> NUMBER =
            StaticPerCpu.defineNumeric("benchmark guarded number", NumericWidth.LONG, 0);
    private static final PerCpuNumeric GUARDED = PerCpuNumeric.of(NUMBER);

    private final Statistics underLock = new Statistics();
    private final ReentrantLock lock = new ReentrantLock();
    private final Statistics underMonitor = new Statistics();
    private final AtomicLong atomicLong = new AtomicLong();

    /** What is updated. */
    static final class Statistics {
        private long count;
        private long sum;

        /** Two CPUs' objects lie side by side, so each is larger than what is on one line or is fetched with it. */
        @SuppressWarnings("unused")
        private long p01, p02, p03, p04, p05, p06, p07, p08, p09, p10, p11, p12, p13, p14, p15, p16;

        private void record(long value) {
            count++;
            sum += value;
        }
    }

    @Benchmark
    public void perCpuTokenUpdate() {
        try (CpuGuard guard = CpuGuard.acquire()) {
            STATISTICS.getMut(guard).run(statistics -> statistics.record(1));
        }
    }

    /** The same in one call. */
    @Benchmark
    public void perCpuRun() {
        STATISTICS.run(statistics -> statistics.record(1));
    }

    @Benchmark
    public void perCpuNumericCell() {
        try (CpuGuard guard = CpuGuard.acquire()) {
            CELL.getMut(guard).run(cell -> cell.add(1));
        }
    }

    /** One sequence that looks at the guard word. */
    @Benchmark
    public void perCpuGuardedAdd() {
        GUARDED.add(1);
    }

    @Benchmark
    public void reentrantLock() {
        lock.lock();
        try {
            underLock.record(1);
        } finally {
            lock.unlock();
        }
    }

    @Benchmark
    public void synchronizedBlock() {
        synchronized (underMonitor) {
            underMonitor.record(1);
        }
    }

    @Benchmark
    public long atomicLong() {
        return atomicLong.incrementAndGet();
    }

    @TearDown
    public void checkExactness() throws InterruptedException {
        Exactness.check("perCpuTokenUpdate", this::perCpuTokenUpdate, () -> total(STATISTICS, s -> s.count));
        Exactness.check("perCpuRun", this::perCpuRun, () -> total(STATISTICS, s -> s.sum));
        Exactness.check("perCpuNumericCell", this::perCpuNumericCell, () -> total(CELL, NumericCell::get));
        Exactness.check("perCpuGuardedAdd", this::perCpuGuardedAdd, GUARDED::sum);
        Exactness.check("reentrantLock", this::reentrantLock, () -> underLock.count);
        Exactness.check("synchronizedBlock", this::synchronizedBlock, () -> underMonitor.count);
        Exactness.check("atomicLong", this::atomicLong, atomicLong::get);
    }

    private static <T> long total(PerCpu<T> variable, ToLongFunction<T> number) {
        long[] total = new long[1];
        variable.forEachCpu((_, instance) -> total[0] += number.applyAsLong(instance));
        return total[0];
    }
}

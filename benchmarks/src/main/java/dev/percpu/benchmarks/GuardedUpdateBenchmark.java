package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.CpuGuard;
import dev.percpu.NumericCell;
import dev.percpu.PerCpu;
import dev.percpu.PerCpuNumeric;
import dev.percpu.StaticPerCpu;
import dev.percpu.benchmarks.measure.Role;
import dev.percpu.memory.NumericWidth;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToLongFunction;
import org.openjdk.jmh.annotations.Benchmark;

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
public class GuardedUpdateBenchmark extends CountingComparison {
    private static final StaticPerCpu<Statistics> STATISTICS =
            StaticPerCpu.define("benchmark statistics", Statistics::new);
    private static final StaticPerCpu<NumericCell> CELL =
            StaticPerCpu.defineNumeric("benchmark cell", NumericWidth.LONG, 0);
    private static final StaticPerCpu<NumericCell> NUMBER =
            StaticPerCpu.defineNumeric("benchmark guarded number", NumericWidth.LONG, 0);
    private static final PerCpuNumeric GUARDED = PerCpuNumeric.of(NUMBER);

    private static final Statistics UNDER_LOCK = new Statistics();
    private static final ReentrantLock LOCK = new ReentrantLock();
    private static final Statistics UNDER_MONITOR = new Statistics();
    private static final AtomicLong ATOMIC_LONG = new AtomicLong();

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

        /** The count. The values were all 1, so the sum is the same unless an update was half lost. */
        private long checkedCount() {
            if (sum != count) {
                throw new IllegalStateException("the sum is " + sum + ", and the count " + count);
            }
            return count;
        }
    }

    @Benchmark
    @Role(value = OURS, task = "two fields", label = "guard, token and function")
    public void perCpuTokenUpdate() {
        try (CpuGuard guard = CpuGuard.acquire()) {
            STATISTICS.getMut(guard).run(statistics -> statistics.record(1));
        }
    }

    /** The same in one call. */
    @Benchmark
    @Role(value = OURS, task = "two fields", label = "`PerCpu.run`")
    public void perCpuRun() {
        STATISTICS.run(statistics -> statistics.record(1));
    }

    @Benchmark
    @Role(value = OURS, task = "one number", label = "guard, token and `NumericCell.add`")
    public void perCpuNumericCell() {
        try (CpuGuard guard = CpuGuard.acquire()) {
            CELL.getMut(guard).run(cell -> cell.add(1));
        }
    }

    /** One sequence that looks at the guard word. */
    @Benchmark
    @Role(value = OURS, task = "one number", label = "`PerCpuNumeric.of(...).add`, which checks the guard word")
    public void perCpuGuardedAdd() {
        GUARDED.add(1);
    }

    @Benchmark
    @Role(value = PEER, task = "two fields", label = "`ReentrantLock`")
    public void reentrantLock() {
        LOCK.lock();
        try {
            UNDER_LOCK.record(1);
        } finally {
            LOCK.unlock();
        }
    }

    @Benchmark
    @Role(value = PEER, task = "two fields", label = "`synchronized`")
    public void synchronizedBlock() {
        synchronized (UNDER_MONITOR) {
            UNDER_MONITOR.record(1);
        }
    }

    @Benchmark
    @Role(value = PEER, task = "one number", label = "`AtomicLong`")
    public long atomicLong() {
        return ATOMIC_LONG.incrementAndGet();
    }

    @Override
    long total() {
        return total(STATISTICS, Statistics::checkedCount)
                + total(CELL, NumericCell::get)
                + GUARDED.sum()
                + UNDER_LOCK.checkedCount()
                + UNDER_MONITOR.checkedCount()
                + ATOMIC_LONG.get();
    }

    private static <T> long total(PerCpu<T> variable, ToLongFunction<T> number) {
        long[] total = new long[1];
        variable.forEachCpu((_, instance) -> total[0] += number.applyAsLong(instance));
        return total[0];
    }
}

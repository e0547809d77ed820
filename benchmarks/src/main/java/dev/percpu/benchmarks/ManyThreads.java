package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.Comparison.checkEqual;
import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuBoundedCounter;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import dev.percpu.concurrent.PerCpuRef;
import java.io.PrintStream;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.StampedLock;
import java.util.function.LongConsumer;
import org.HdrHistogram.Recorder;
import org.jctools.queues.MpmcArrayQueue;

/**
 * Does an operation cost more processor time when there are many more threads than CPUs?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar --curves "Many threads"
 * </pre>
 */
final class ManyThreads {
    /** More than there are carriers of virtual threads, and than threads can hold at a time by being preempted. */
    private static final int POOL = 256;

    private static final long HIGHEST = 1 << 20;
    private static final int DIGITS = 2;

    static final String CHART = "Many threads";

    private ManyThreads() {}

    /** Measures, and prints a line for each operation; throws if an update was lost, or something left behind. */
    @SuppressWarnings("LockNotBeforeTry") // nothing is done inside that could fail
    static void print(PrintStream out) throws InterruptedException {
        PerCpuCounter perCpu = new PerCpuCounter();
        print(
                out,
                OURS,
                "`PerCpuCounter.increment`",
                times -> {
                    for (int i = 0; i < times; i++) {
                        perCpu.increment();
                    }
                },
                done -> checkEqual("per-CPU counter", done, perCpu.sum()));
        LongAdder longAdder = new LongAdder();
        print(
                out,
                PEER,
                "`LongAdder.increment`",
                times -> {
                    for (int i = 0; i < times; i++) {
                        longAdder.increment();
                    }
                },
                done -> checkEqual("adder", done, longAdder.sum()));
        AtomicLong atomicLong = new AtomicLong();
        print(
                out,
                PEER,
                "`AtomicLong.incrementAndGet`",
                times -> {
                    for (int i = 0; i < times; i++) {
                        long _ = atomicLong.incrementAndGet();
                    }
                },
                done -> checkEqual("atomic number", done, atomicLong.get()));
        PerCpuBoundedCounter bounded = new PerCpuBoundedCounter();
        print(
                out,
                OURS,
                "`PerCpuBoundedCounter.tryAdd`",
                times -> {
                    for (int i = 0; i < times; i++) {
                        boolean _ = bounded.tryAdd(1, Long.MAX_VALUE);
                    }
                },
                done -> checkEqual("bounded counter", done, bounded.sum()));
        AtomicLong bound = new AtomicLong();
        print(
                out,
                PEER,
                "`AtomicLong`, compare and set up to a limit",
                times -> {
                    for (int i = 0; i < times; i++) {
                        long old = bound.get();
                        while (old < Long.MAX_VALUE && !bound.compareAndSet(old, old + 1)) {
                            old = bound.get();
                        }
                    }
                },
                done -> checkEqual("atomic number with a limit", done, bound.get()));
        PerCpuHistogram histogram = PerCpuHistogram.builder().build();
        print(
                out,
                OURS,
                "`PerCpuHistogram.record`",
                times -> {
                    for (int i = 0; i < times; i++) {
                        histogram.record(i & 0xfffff);
                    }
                },
                done -> checkEqual(
                        "per-CPU histogram", done, histogram.snapshot().count()));
        Recorder recorder = new Recorder(HIGHEST, DIGITS);
        print(
                out,
                PEER,
                "HdrHistogram `Recorder`",
                times -> {
                    for (int i = 0; i < times; i++) {
                        recorder.recordValue(i & 0xfffff);
                    }
                },
                done -> checkEqual(
                        "recorder", done, recorder.getIntervalHistogram().getTotalCount()));
        PerCpuPool<Object> pool = PerCpuPool.builder(POOL, Object::new).build();
        print(
                out,
                OURS,
                "`PerCpuPool`, take and give back",
                times -> {
                    for (int i = 0; i < times; i++) {
                        pool.acquire().close();
                    }
                },
                _ -> checkEqual("objects held", 0, pool.statistics().held()));
        MpmcArrayQueue<Object> queue = new MpmcArrayQueue<>(POOL);
        queue.fill(Object::new);
        print(
                out,
                PEER,
                "JCTools `MpmcArrayQueue`, take and give back",
                times -> {
                    for (int i = 0; i < times; i++) {
                        queue.offer(queue.poll());
                    }
                },
                _ -> checkEqual("objects in the queue", POOL, queue.size()));
        ReadWriteLock lock = new PerCpuReadWriteLock();
        Lock readLock = lock.readLock();
        print(
                out,
                OURS,
                "`PerCpuReadWriteLock`, read",
                times -> {
                    for (int i = 0; i < times; i++) {
                        readLock.lock();
                        readLock.unlock();
                    }
                },
                _ -> ReadLockBenchmark.checkNobodyIsInside(lock));
        StampedLock stamped = new StampedLock();
        print(
                out,
                PEER,
                "`StampedLock`, read",
                times -> {
                    for (int i = 0; i < times; i++) {
                        stamped.unlockRead(stamped.readLock());
                    }
                },
                _ -> ReadLockBenchmark.checkNobodyIsInside(stamped.asReadWriteLock()));
        AtomicLong releases = new AtomicLong();
        PerCpuRef ref = new PerCpuRef(releases::incrementAndGet);
        print(
                out,
                OURS,
                "`PerCpuRef`, `tryGetLive` and `put`",
                times -> {
                    for (int i = 0; i < times; i++) {
                        if (!ref.tryGetLive()) {
                            throw new IllegalStateException("not live");
                        }
                        ref.put();
                    }
                },
                _ -> {
                    ref.kill();
                    checkEqual("releases", 1, releases.get());
                });
        AtomicLong references = new AtomicLong(1);
        print(
                out,
                PEER,
                "`AtomicLong`, up and down",
                times -> {
                    for (int i = 0; i < times; i++) {
                        long _ = references.incrementAndGet();
                        long _ = references.decrementAndGet();
                    }
                },
                _ -> checkEqual("references", 1, references.get()));
    }

    private static void print(
            PrintStream out, Role.Kind role, String label, CpuTimePerOperation.Operation operation, LongConsumer check)
            throws InterruptedException {
        out.println(CpuTimePerOperation.curve(role, label, operation, check));
    }
}

package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.Comparison.checkEqual;
import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Child;
import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuBoundedCounter;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import dev.percpu.concurrent.PerCpuRef;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.StampedLock;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.HdrHistogram.Recorder;
import org.jctools.queues.MpmcArrayQueue;

/**
 * Does an operation cost more processor time when there are many more threads than CPUs?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar --curves "Many threads"
 * </pre>
 *
 * <p>Each contender has a JVM of its own, so none profits from what the JIT compiler learned of another, nor suffers.
 */
public final class ManyThreads {
    /** More than there are carriers of virtual threads, and than threads can hold at a time by being preempted. */
    private static final int POOL = 256;

    /** Both histograms have this range, and about 1% of error. */
    private static final long HOUR = TimeUnit.HOURS.toNanos(1);

    private static final int DIGITS = 2;

    static final String CHART = "Many threads";

    /**
     * An operation.
     *
     * @param repeat does it so many times
     * @param check is told how often it was done, and throws if an update was lost, or something left behind
     */
    record Subject(CpuTimePerOperation.Operation repeat, LongConsumer check) {}

    /** What is measured, in the order of the chart. */
    enum Contender {
        PER_CPU_COUNTER(OURS, "`PerCpuCounter.increment`", ManyThreads::perCpuCounter),
        LONG_ADDER(PEER, "`LongAdder.increment`", ManyThreads::longAdder),
        ATOMIC_LONG(PEER, "`AtomicLong.incrementAndGet`", ManyThreads::atomicLong),
        PER_CPU_BOUNDED(OURS, "`PerCpuBoundedCounter.tryAdd`", ManyThreads::perCpuBounded),
        ATOMIC_LIMIT(PEER, "`AtomicLong`, compare and set up to a limit", ManyThreads::atomicLimit),
        PER_CPU_HISTOGRAM(OURS, "`PerCpuHistogram.record`", ManyThreads::perCpuHistogram),
        RECORDER(PEER, "HdrHistogram `Recorder`", ManyThreads::recorder),
        PER_CPU_POOL(OURS, "`PerCpuPool`, take and give back", ManyThreads::perCpuPool),
        QUEUE(PEER, "JCTools `MpmcArrayQueue`, take and give back", ManyThreads::queue),
        PER_CPU_LOCK(OURS, "`PerCpuReadWriteLock`, read", ManyThreads::perCpuLock),
        STAMPED_LOCK(PEER, "`StampedLock`, read", ManyThreads::stampedLock),
        PER_CPU_REF(OURS, "`PerCpuRef`, `tryGetLive` and `put`", ManyThreads::perCpuRef),
        ATOMIC_REFERENCES(PEER, "`AtomicLong`, up and down", ManyThreads::atomicReferences);

        private final Role.Kind role;
        private final String label;

        @SuppressWarnings("ImmutableEnumChecker") // a maker keeps nothing
        private final Supplier<Subject> maker;

        Contender(Role.Kind role, String label, Supplier<Subject> maker) {
            this.role = role;
            this.label = label;
            this.maker = maker;
        }

        Subject make() {
            return maker.get();
        }
    }

    private ManyThreads() {}

    /** In a JVM of its own: measures a contender, and prints its line. */
    public static void main(String[] arguments) throws InterruptedException {
        Contender contender = Contender.valueOf(arguments[0]);
        Subject subject = contender.make();
        System.out.println(CpuTimePerOperation.curve(contender.role, contender.label, subject.repeat, subject.check));
    }

    /** Measures, and prints a line for each operation; throws if an update was lost, or something left behind. */
    static void print(PrintStream out) throws IOException, InterruptedException {
        for (Contender contender : Contender.values()) {
            out.print(Child.java(List.of(), ManyThreads.class, List.of(contender.name())));
        }
    }

    private static Subject perCpuCounter() {
        PerCpuCounter counter = new PerCpuCounter();
        return new Subject(
                times -> {
                    for (int i = 0; i < times; i++) {
                        counter.increment();
                    }
                },
                done -> checkEqual("per-CPU counter", done, counter.sum()));
    }

    private static Subject longAdder() {
        LongAdder adder = new LongAdder();
        return new Subject(
                times -> {
                    for (int i = 0; i < times; i++) {
                        adder.increment();
                    }
                },
                done -> checkEqual("adder", done, adder.sum()));
    }

    private static Subject atomicLong() {
        AtomicLong number = new AtomicLong();
        return new Subject(
                times -> {
                    for (int i = 0; i < times; i++) {
                        long _ = number.incrementAndGet();
                    }
                },
                done -> checkEqual("atomic number", done, number.get()));
    }

    private static Subject perCpuBounded() {
        PerCpuBoundedCounter bounded = new PerCpuBoundedCounter();
        return new Subject(
                times -> {
                    for (int i = 0; i < times; i++) {
                        boolean _ = bounded.tryAdd(1, Long.MAX_VALUE);
                    }
                },
                done -> checkEqual("bounded counter", done, bounded.sum()));
    }

    private static Subject atomicLimit() {
        AtomicLong bound = new AtomicLong();
        return new Subject(
                times -> {
                    for (int i = 0; i < times; i++) {
                        long old = bound.get();
                        while (old < Long.MAX_VALUE && !bound.compareAndSet(old, old + 1)) {
                            old = bound.get();
                        }
                    }
                },
                done -> checkEqual("atomic number with a limit", done, bound.get()));
    }

    private static Subject perCpuHistogram() {
        PerCpuHistogram histogram = PerCpuHistogram.builder()
                .relativeError(0.01)
                .highestTrackable(HOUR)
                .build();
        Latencies latencies = latencies();
        return new Subject(
                times -> {
                    int next = ThreadLocalRandom.current().nextInt();
                    for (int i = 0; i < times; i++) {
                        histogram.record(latencies.nanos(next + i));
                    }
                },
                done -> checkEqual(
                        "per-CPU histogram", done, histogram.snapshot().count()));
    }

    private static Subject recorder() {
        Recorder recorder = new Recorder(HOUR, DIGITS);
        Latencies latencies = latencies();
        return new Subject(
                times -> {
                    int next = ThreadLocalRandom.current().nextInt();
                    for (int i = 0; i < times; i++) {
                        recorder.recordValue(latencies.nanos(next + i));
                    }
                },
                done -> checkEqual(
                        "recorder", done, recorder.getIntervalHistogram().getTotalCount()));
    }

    /** For all threads: each turn of one begins anywhere in them. */
    private static Latencies latencies() {
        Latencies latencies = new Latencies();
        latencies.draw();
        return latencies;
    }

    private static Subject perCpuPool() {
        PerCpuPool<Object> pool = PerCpuPool.builder(POOL, Object::new).build();
        return new Subject(
                times -> {
                    for (int i = 0; i < times; i++) {
                        pool.acquire().close();
                    }
                },
                _ -> checkEqual("objects held", 0, pool.statistics().held()));
    }

    private static Subject queue() {
        MpmcArrayQueue<Object> queue = new MpmcArrayQueue<>(POOL);
        queue.fill(Object::new);
        return new Subject(
                times -> {
                    for (int i = 0; i < times; i++) {
                        queue.offer(queue.poll());
                    }
                },
                _ -> checkEqual("objects in the queue", POOL, queue.size()));
    }

    @SuppressWarnings("LockNotBeforeTry") // nothing is done inside that could fail
    private static Subject perCpuLock() {
        ReadWriteLock lock = new PerCpuReadWriteLock();
        Lock readLock = lock.readLock();
        return new Subject(
                times -> {
                    for (int i = 0; i < times; i++) {
                        readLock.lock();
                        readLock.unlock();
                    }
                },
                _ -> ReadLockBenchmark.checkNobodyIsInside(lock));
    }

    private static Subject stampedLock() {
        StampedLock stamped = new StampedLock();
        return new Subject(
                times -> {
                    for (int i = 0; i < times; i++) {
                        stamped.unlockRead(stamped.readLock());
                    }
                },
                _ -> ReadLockBenchmark.checkNobodyIsInside(stamped.asReadWriteLock()));
    }

    private static Subject perCpuRef() {
        AtomicLong releases = new AtomicLong();
        PerCpuRef ref = new PerCpuRef(releases::incrementAndGet);
        return new Subject(
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
    }

    private static Subject atomicReferences() {
        AtomicLong references = new AtomicLong(1);
        return new Subject(
                times -> {
                    for (int i = 0; i < times; i++) {
                        long _ = references.incrementAndGet();
                        long _ = references.decrementAndGet();
                    }
                },
                _ -> checkEqual("references", 1, references.get()));
    }
}

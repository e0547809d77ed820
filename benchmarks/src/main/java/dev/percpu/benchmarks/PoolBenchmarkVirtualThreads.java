package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.FLOOR;
import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import com.fasterxml.jackson.core.util.BufferRecycler;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import com.fasterxml.jackson.core.util.RecyclerPool;
import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.Pooled;
import dev.percpu.jackson.PerCpuRecyclerPool;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.infra.Blackhole;

/**
 * What does taking an object and giving it back cost when 1,000 virtual threads share the pool, as the threads of a
 * server that writes JSON do?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar PoolBenchmarkVirtualThreads -prof gc
 * </pre>
 *
 * <p>An operation is: take an object, do a little with it, give it back. Each invocation starts the threads and waits
 * for them; each of them does {@value #ROUNDS} operations, among which its start and end are shared out. {@link
 * #threadsAlone} is what is left of that. The concurrent deque and the bounded pool are the same in Jackson 2 and 3.
 */
public class PoolBenchmarkVirtualThreads extends Comparison {
    private static final int THREADS = 1000;
    private static final int ROUNDS = 500;
    static final int OPERATIONS = THREADS * ROUNDS;

    private final PerCpuPool<BufferRecycler> perCpu =
            PerCpuPool.builder(PoolBenchmark.CAPACITY, BufferRecycler::new).build();

    private final RecyclerPool<BufferRecycler> perCpuJackson = PerCpuRecyclerPool.create(PoolBenchmark.CAPACITY);

    @SuppressWarnings("deprecation") // in use all the same
    private final RecyclerPool<BufferRecycler> lockFree = JsonRecyclerPools.newLockFreePool();

    private final RecyclerPool<BufferRecycler> deque = JsonRecyclerPools.newConcurrentDequePool();
    private final RecyclerPool<BufferRecycler> bounded = JsonRecyclerPools.newBoundedPool(PoolBenchmark.CAPACITY);
    private final Jackson3Pool perCpuJackson3 = Jackson3Pool.perCpu(PoolBenchmark.CAPACITY);
    private final Jackson3Pool striped = Jackson3Pool.stripedArray(PoolBenchmark.CAPACITY);
    private final Jackson3Pool hybrid = Jackson3Pool.hybrid(PoolBenchmark.CAPACITY);

    @Benchmark
    @Role(value = OURS, label = "`PerCpuPool`")
    @OperationsPerInvocation(OPERATIONS)
    public void perCpuPool() throws InterruptedException {
        inVirtualThreads(() -> {
            Pooled<BufferRecycler> pooled = perCpu.tryAcquire();
            if (pooled == null) {
                throw new IllegalStateException("exhausted");
            }
            work(pooled.get());
            pooled.release();
        });
    }

    @Benchmark
    @Role(value = OURS, label = "`PerCpuRecyclerPool` (Jackson)")
    @OperationsPerInvocation(OPERATIONS)
    public void perCpuRecyclerPool() throws InterruptedException {
        inVirtualThreads(() -> takeAndGiveBack(perCpuJackson));
    }

    @Benchmark
    @Role(value = PEER, label = "Jackson lock-free")
    @OperationsPerInvocation(OPERATIONS)
    public void jacksonLockFree() throws InterruptedException {
        inVirtualThreads(() -> takeAndGiveBack(lockFree));
    }

    @Benchmark
    @Role(value = PEER, label = "Jackson concurrent deque")
    @OperationsPerInvocation(OPERATIONS)
    public void jacksonConcurrentDeque() throws InterruptedException {
        inVirtualThreads(() -> takeAndGiveBack(deque));
    }

    @Benchmark
    @Role(value = PEER, label = "Jackson bounded")
    @OperationsPerInvocation(OPERATIONS)
    public void jacksonBounded() throws InterruptedException {
        inVirtualThreads(() -> takeAndGiveBack(bounded));
    }

    @Benchmark
    @Role(value = OURS, label = "`PerCpuRecyclerPool` (Jackson 3)")
    @OperationsPerInvocation(OPERATIONS)
    public void perCpuRecyclerPool3() throws InterruptedException {
        inVirtualThreads(() -> takeAndGiveBack(perCpuJackson3));
    }

    @Benchmark
    @Role(value = PEER, label = "Jackson 3 striped array")
    @OperationsPerInvocation(OPERATIONS)
    public void jackson3StripedArray() throws InterruptedException {
        inVirtualThreads(() -> takeAndGiveBack(striped));
    }

    /** With virtual threads this is a striped array, after a look at what the thread is. */
    @Benchmark
    @Role(value = PEER, label = "Jackson 3 hybrid")
    @OperationsPerInvocation(OPERATIONS)
    public void jackson3Hybrid() throws InterruptedException {
        inVirtualThreads(() -> takeAndGiveBack(hybrid));
    }

    /** The harness, with an object of each operation's own. */
    @Benchmark
    @Role(value = FLOOR, label = "the threads alone")
    @OperationsPerInvocation(OPERATIONS)
    public void threadsAlone() throws InterruptedException {
        BufferRecycler recycler = new BufferRecycler();
        inVirtualThreads(() -> work(recycler));
    }

    private static void takeAndGiveBack(RecyclerPool<BufferRecycler> pool) {
        BufferRecycler recycler = pool.acquireAndLinkPooled();
        work(recycler);
        recycler.releaseToPool();
    }

    private static void takeAndGiveBack(Jackson3Pool pool) {
        tools.jackson.core.util.BufferRecycler recycler = pool.acquire();
        work(recycler);
        recycler.releaseToPool();
    }

    /** A few nanoseconds: the pool is what is measured. */
    private static void work(Object recycler) {
        Objects.requireNonNull(recycler);
        Blackhole.consumeCPU(2);
    }

    static void inVirtualThreads(Runnable operation) throws InterruptedException {
        CountDownLatch ended = new CountDownLatch(THREADS);
        for (int i = 0; i < THREADS; i++) {
            Thread.ofVirtual().start(() -> {
                for (int round = 0; round < ROUNDS; round++) {
                    operation.run();
                }
                ended.countDown();
            });
        }
        ended.await();
    }

    @Override
    void check(String benchmark, long operations) {
        checkEqual("objects held", 0, perCpu.statistics().held());
        PoolBenchmark.checkLendsAll(perCpuJackson);
        perCpuJackson3.checkLendsAll(PoolBenchmark.CAPACITY);
    }
}

package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.NOT_COMPARABLE;
import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER_OF_PLATFORM_THREADS;

import com.fasterxml.jackson.core.util.BufferRecycler;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import com.fasterxml.jackson.core.util.RecyclerPool;
import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.Pooled;
import dev.percpu.jackson.PerCpuRecyclerPool;
import io.netty.util.Recycler;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jctools.queues.MpmcArrayQueue;
import org.jctools.queues.MpmcUnboundedXaddArrayQueue;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What does it cost to take an object from a pool and to give it back?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar PoolBenchmark -t 1 -prof gc
 * java -jar benchmarks/target/benchmarks.jar PoolBenchmark -t 2 -prof gc
 * </pre>
 *
 * <p>{@code gc.alloc.rate.norm} is to be 0 bytes. The queues are used as pools: what is polled is offered again.
 * Netty's recycler keeps objects for each of {@linkplain PlatformThreads its own kind of threads}, and makes new ones
 * where another thread has them. A virtual thread gets a new object each time: with those it is no pool, and no peer.
 *
 * <p>{@link #threadLocal} is no peer, though many programs that give back in the same thread have one in place of a
 * pool. Nothing bounds how many objects there are: each thread keeps one, for as long as it lives. Nobody else gets it
 * meanwhile, and a thread that takes twice gets the same object.
 */
public class PoolBenchmark extends Comparison {
    static final int CAPACITY = 1024;

    private final PerCpuPool<Item> perCpu =
            PerCpuPool.builder(CAPACITY, Item::new).build();
    private final Recycler<RecycledItem> netty = new Items(false);
    private final Recycler<RecycledItem> nettyUnguarded = new Items(true);
    private final MpmcArrayQueue<Item> mpmc = new MpmcArrayQueue<>(CAPACITY);
    private final MpmcUnboundedXaddArrayQueue<Item> mpmcXadd = new MpmcUnboundedXaddArrayQueue<>(CAPACITY);
    private final ThreadLocal<Item> ofThread = ThreadLocal.withInitial(Item::new);
    private final ConcurrentLinkedQueue<Item> linked = new ConcurrentLinkedQueue<>();

    private final RecyclerPool<BufferRecycler> perCpuJackson = PerCpuRecyclerPool.create(CAPACITY);

    @SuppressWarnings("deprecation") // in use all the same
    private final RecyclerPool<BufferRecycler> lockFree = JsonRecyclerPools.newLockFreePool();

    private final RecyclerPool<BufferRecycler> deque = JsonRecyclerPools.newConcurrentDequePool();
    private final RecyclerPool<BufferRecycler> bounded = JsonRecyclerPools.newBoundedPool(CAPACITY);

    /** What is pooled. */
    static class Item {
        private long uses;

        long use() {
            return ++uses;
        }
    }

    private static final class RecycledItem extends Item {
        private final Recycler.Handle<RecycledItem> handle;

        private RecycledItem(Recycler.Handle<RecycledItem> handle) {
            this.handle = handle;
        }
    }

    /** Netty's own pool; unguarded, it does not notice an object that is given back twice. */
    private static final class Items extends Recycler<RecycledItem> {
        private Items(boolean unguarded) {
            super(unguarded);
        }

        @Override
        protected RecycledItem newObject(Handle<RecycledItem> handle) {
            return new RecycledItem(handle);
        }
    }

    public PoolBenchmark() {
        for (int i = 0; i < CAPACITY; i++) {
            mpmc.add(new Item());
            mpmcXadd.add(new Item());
            linked.add(new Item());
        }
    }

    @Benchmark
    @Role(value = OURS, label = "`PerCpuPool`")
    public long perCpuPool() {
        return takeAndGiveBack(perCpu);
    }

    /** A pool in a state of its own: no other benchmark's JVM loads the classes that only this pool uses. */
    @State(Scope.Benchmark)
    public static class Kept {
        private final PerCpuPool<Item> pool =
                PerCpuPool.builder(CAPACITY, Item::new).keepOnePerHotThread().build();

        @TearDown
        public void check() {
            checkEqual("objects held", 0, pool.statistics().held());
        }
    }

    @Benchmark
    @Role(value = OURS, label = "`PerCpuPool`, hot threads keep one")
    public long perCpuPoolKept(Kept kept) {
        return takeAndGiveBack(kept.pool);
    }

    @Benchmark
    @Role(value = PEER_OF_PLATFORM_THREADS, label = "Netty `Recycler`")
    public long nettyRecycler() {
        return takeAndGiveBack(netty);
    }

    @Benchmark
    @Role(value = PEER_OF_PLATFORM_THREADS, label = "Netty `Recycler`, unguarded")
    public long nettyUnguardedRecycler() {
        return takeAndGiveBack(nettyUnguarded);
    }

    @Benchmark
    @Role(value = PEER, label = "JCTools `MpmcArrayQueue`")
    public long jctoolsMpmcQueue() {
        Item item = mpmc.poll();
        long uses = item.use();
        mpmc.offer(item);
        return uses;
    }

    /** By the methods that may fail, or find nothing, while another thread is in the middle of its step. */
    @Benchmark
    @Role(value = PEER, label = "JCTools `MpmcArrayQueue`, relaxed")
    public long jctoolsMpmcQueueRelaxed() {
        Item item = mpmc.relaxedPoll();
        while (item == null) {
            Thread.onSpinWait();
            item = mpmc.relaxedPoll();
        }
        long uses = item.use();
        while (!mpmc.relaxedOffer(item)) {
            Thread.onSpinWait();
        }
        return uses;
    }

    @Benchmark
    @Role(value = NOT_COMPARABLE, label = "`ThreadLocal`")
    public long threadLocal() {
        return ofThread.get().use();
    }

    /** It counts with one instruction where the other one loops, and so is made for many threads. */
    @Benchmark
    @Role(value = PEER, label = "JCTools `MpmcUnboundedXaddArrayQueue`")
    public long jctoolsMpmcXaddQueue() {
        Item item = mpmcXadd.poll();
        long uses = item.use();
        mpmcXadd.offer(item);
        return uses;
    }

    @Benchmark
    @Role(value = PEER, label = "`ConcurrentLinkedQueue`")
    public long concurrentLinkedQueue() {
        Item item = linked.poll();
        long uses = item.use();
        linked.offer(item);
        return uses;
    }

    @Benchmark
    @Role(value = OURS, label = "`PerCpuRecyclerPool` (Jackson)")
    public BufferRecycler perCpuRecyclerPool() {
        return takeAndGiveBack(perCpuJackson);
    }

    @Benchmark
    @Role(value = PEER, label = "Jackson lock-free")
    public BufferRecycler jacksonLockFree() {
        return takeAndGiveBack(lockFree);
    }

    @Benchmark
    @Role(value = PEER, label = "Jackson concurrent deque")
    public BufferRecycler jacksonConcurrentDeque() {
        return takeAndGiveBack(deque);
    }

    @Benchmark
    @Role(value = PEER, label = "Jackson bounded")
    public BufferRecycler jacksonBounded() {
        return takeAndGiveBack(bounded);
    }

    /** Checks that a pool, with nothing in use, lends as many as it may keep: so that none was left behind. */
    static void checkLendsAll(RecyclerPool<BufferRecycler> pool) {
        for (int i = 0; i < CAPACITY; i++) {
            // One from outside the pool is a plain one.
            if (pool.acquirePooled().getClass() == BufferRecycler.class) {
                throw new IllegalStateException("somebody still holds a recycler of " + pool);
            }
        }
    }

    private static BufferRecycler takeAndGiveBack(RecyclerPool<BufferRecycler> pool) {
        BufferRecycler recycler = pool.acquireAndLinkPooled();
        recycler.releaseToPool();
        return recycler;
    }

    private static long takeAndGiveBack(PerCpuPool<Item> pool) {
        Pooled<Item> pooled = pool.tryAcquire();
        if (pooled == null) {
            throw new IllegalStateException("exhausted");
        }
        long uses = pooled.get().use();
        pooled.release();
        return uses;
    }

    private static long takeAndGiveBack(Recycler<RecycledItem> recycler) {
        RecycledItem item = recycler.get();
        long uses = item.use();
        item.handle.recycle(item);
        return uses;
    }

    /** Netty's recycler and Jackson's own pools cannot be asked: they make another object, or drop one. */
    @Override
    void check(String benchmark, long operations) {
        checkEqual("objects held", 0, perCpu.statistics().held());
        checkEqual("objects in JCTools' queue", CAPACITY, mpmc.size());
        checkEqual("objects in JCTools' unbounded queue", CAPACITY, mpmcXadd.size());
        checkEqual("objects in the linked queue", CAPACITY, linked.size());
        checkLendsAll(perCpuJackson);
    }
}

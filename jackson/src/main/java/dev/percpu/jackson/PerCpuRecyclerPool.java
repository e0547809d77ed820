package dev.percpu.jackson;

import com.fasterxml.jackson.core.util.BufferRecycler;
import com.fasterxml.jackson.core.util.RecyclerPool;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PoolBuilder;
import dev.percpu.concurrent.Pooled;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A pool of Jackson's buffers for platform and virtual threads, on a {@link PerCpuPool}: each CPU has a stack of idle
 * recyclers, and a parser or generator takes one from it without a lock or an atomic instruction.
 *
 * <pre>{@code
 * JsonFactory json = JsonFactory.builder()
 *         .recyclerPool(PerCpuRecyclerPool.shared())
 *         .build();
 * }</pre>
 *
 * <p><b>Capacity.</b> The pool keeps at most as many recyclers as its capacity. If all of them are in use, a caller
 * gets a recycler outside the pool, which its release leaves to the garbage collector. Acquiring and releasing never
 * wait for a recycler or for a {@link dev.percpu.CpuGuard}.
 *
 * <p><b>Releasing.</b> {@link BufferRecycler#releaseToPool()} does nothing for a recycler that is idle already, and
 * {@link #releasePooled} throws {@link IllegalStateException}. If another thread has acquired the recycler since it was
 * released, a second release counts as that thread's, as in {@link Pooled#release}: then two can have it. A recycler
 * whose parser or generator is never closed takes up capacity as long as the pool lives. So does one whose release was
 * interrupted by an error such as {@link StackOverflowError}, until {@link #releasePooled} finishes it: {@link
 * BufferRecycler#releaseToPool()} may do nothing then.
 *
 * <p><b>Serialization.</b> As with Jackson's own pools no recycler is written. The shared pool becomes the shared pool
 * of the JVM that reads it, any other one a new pool of the same capacity, without a name.
 */
public final class PerCpuRecyclerPool extends RecyclerPool.StatefulImplBase<BufferRecycler> {
    private static final long serialVersionUID = 1L;

    /** With so many for each CPU, the stack of a CPU has its full size. A recycler's usual buffers take 20 to 40 KB. */
    private static final int PER_CPU = 128;

    private static @Nullable PerCpuRecyclerPool shared;

    private final transient PerCpuPool<PooledRecycler> pool;

    /**
     * A recycler of this pool. The handle that releases it is its link to the pool, so that to link it again, for each
     * parser, is to set a flag: a reference would cost the garbage collector's barrier.
     */
    private final class PooledRecycler extends BufferRecycler {
        private final Pooled<PooledRecycler> handle;
        private final KeptBuffers<byte[]> bytes = new KeptBuffers<>();
        private final KeptBuffers<char[]> chars = new KeptBuffers<>();
        private boolean linked;

        PooledRecycler(Pooled<PooledRecycler> handle) {
            this.handle = handle;
        }

        @Override
        public byte[] allocByteBuffer(int index, int minSize) {
            int size = Math.max(minSize, byteBufferLength(index));
            byte[] buffer = bytes.take(index, size);
            return buffer != null ? buffer : balloc(size);
        }

        @Override
        public void releaseByteBuffer(int index, byte[] buffer) {
            bytes.giveBack(index, buffer, buffer.length);
        }

        @Override
        public char[] allocCharBuffer(int index, int minSize) {
            int size = Math.max(minSize, charBufferLength(index));
            char[] buffer = chars.take(index, size);
            return buffer != null ? buffer : calloc(size);
        }

        @Override
        public void releaseCharBuffer(int index, char[] buffer) {
            chars.giveBack(index, buffer, buffer.length);
        }

        @Override
        public boolean isLinkedWithPool() {
            return linked || super.isLinkedWithPool();
        }

        @Override
        public BufferRecycler withPool(RecyclerPool<BufferRecycler> pool) {
            if (linked) {
                throw new IllegalStateException("this recycler is linked to " + PerCpuRecyclerPool.this + " already");
            }
            if (pool != PerCpuRecyclerPool.this || super.isLinkedWithPool()) {
                // A pool of somebody else's that takes its recyclers from this one.
                return super.withPool(pool);
            }
            linked = true;
            return this;
        }

        @Override
        public void releaseToPool() {
            if (linked) {
                release();
            } else {
                super.releaseToPool();
            }
        }

        void release() {
            // Before, as it is the next holder's then.
            linked = false;
            handle.release();
        }
    }

    private PerCpuRecyclerPool(int serialization, int capacity, @Nullable String name) {
        super(serialization);
        PoolBuilder<PooledRecycler> builder = PerCpuPool.builderWithHandle(capacity, PooledRecycler::new);
        if (name != null) {
            builder.name(name);
        }
        pool = builder.build();
    }

    /**
     * The pool that the whole JVM shares. Its capacity is 128 recyclers for each CPU that the JVM may use; it makes
     * only as many as are in use at once.
     *
     * @throws dev.percpu.memory.AreaFullException if it does not exist yet and the per-CPU area is full
     */
    public static synchronized PerCpuRecyclerPool shared() {
        if (shared == null) {
            shared = new PerCpuRecyclerPool(
                    SERIALIZATION_SHARED, PER_CPU * Runtime.getRuntime().availableProcessors(), "Jackson buffers");
        }
        return shared;
    }

    /**
     * Creates a pool of its own.
     *
     * @param capacity how many recyclers it keeps at most
     * @throws IllegalArgumentException if the capacity is not from 1 to 2^30
     * @throws dev.percpu.memory.AreaFullException if the per-CPU area is full
     */
    public static PerCpuRecyclerPool create(int capacity) {
        return new PerCpuRecyclerPool(capacity, capacity, null);
    }

    /**
     * Creates a pool of its own that has a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param capacity how many recyclers it keeps at most
     * @throws IllegalArgumentException if the capacity is not from 1 to 2^30
     * @throws dev.percpu.memory.AreaFullException if the per-CPU area is full
     */
    public static PerCpuRecyclerPool create(String name, int capacity) {
        return new PerCpuRecyclerPool(capacity, capacity, Objects.requireNonNull(name, "name"));
    }

    /** How many recyclers the pool keeps at most. */
    public int capacity() {
        return pool.capacity();
    }

    @Override
    public BufferRecycler acquirePooled() {
        Pooled<PooledRecycler> pooled;
        try {
            // With a time limit of 0: tryAcquire() without one would wait for the owner of another CPU's guard.
            pooled = pool.tryAcquire(0, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            throw new AssertionError("it does not wait", e);
        }
        return pooled != null ? pooled.get() : createPooled();
    }

    /** Creates a recycler outside the pool. */
    @Override
    public BufferRecycler createPooled() {
        return new BufferRecycler();
    }

    /**
     * Gives a recycler back. One that was made outside the pool is left to the garbage collector.
     *
     * @throws IllegalStateException if it is idle already
     * @throws NullPointerException if it is null
     */
    @Override
    public void releasePooled(BufferRecycler recycler) {
        Objects.requireNonNull(recycler, "recycler");
        if (recycler instanceof PooledRecycler pooled) {
            pooled.release();
        }
    }

    /** How many recyclers are idle. */
    @Override
    public int pooledCount() {
        return (int) pool.statistics().idle();
    }

    /**
     * Drops all idle recyclers, apart from those on the stack of a CPU whose {@link dev.percpu.CpuGuard} another
     * thread holds.
     *
     * @return whether none is left; one may also have been released meanwhile
     */
    @Override
    public boolean clear() {
        pool.trim(0);
        return pooledCount() == 0;
    }

    @Override
    public String toString() {
        return "Jackson buffers in " + pool;
    }

    private Object readResolve() {
        return _serialization == SERIALIZATION_SHARED ? shared() : create(_serialization);
    }
}

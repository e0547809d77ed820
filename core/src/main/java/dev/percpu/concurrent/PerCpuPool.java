package dev.percpu.concurrent;

import dev.percpu.internal.Failures;
import dev.percpu.internal.Registry;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A bounded pool of objects that are costly to make and can be used again, for platform and virtual threads.
 *
 * <pre>{@code
 * static final PerCpuPool<ByteBuffer> BUFFERS = PerCpuPool
 *         .builder(256, () -> ByteBuffer.allocateDirect(8192))
 *         .reset(ByteBuffer::clear)
 *         .build();
 *
 * try (Pooled<ByteBuffer> buffer = BUFFERS.acquire()) {
 *     channel.read(buffer.get());
 * }
 * }</pre>
 *
 * <p><b>What it guarantees.</b> An object has one holder at a time. There are never more objects than the capacity.
 * Objects are made when they are needed and none is idle at hand. The pool never says that it is exhausted while an
 * object is idle, on whatever CPU it was released. What a holder does before the release happens before what the next
 * holder does after acquiring.
 *
 * <p><b>When all objects are held.</b> {@link #tryAcquire()} returns null, and a caller that can do with an object outside
 * the pool makes one. {@link #tryAcquire(long, TimeUnit)} waits for a while, and {@link #acquire()} until one is
 * released. The names are those of {@link java.util.concurrent.Semaphore}. There is no fairness: who comes when an object
 * is released may get it before one who waits.
 *
 * <p><b>Hooks.</b> The factory runs in the thread that acquires, reset in the one that releases, destroy in the one that
 * releases or closes; neither with a lock of the pool nor with a {@link dev.percpu.CpuGuard} held. What a hook throws
 * reaches the caller:
 *
 * <ul>
 *   <li>The factory throws, or returns null: nothing was acquired, and the place is free for another attempt.
 *   <li>Reset throws: the object is destroyed, and its place is free for another.
 *   <li>Destroy throws: the object counts as destroyed. Closing goes on with the others, and then throws.
 * </ul>
 *
 * <p><b>Closing.</b> {@link #close()} destroys the idle objects, and a held one is destroyed when it is released, each
 * once. A pool that becomes unreachable without leaves its objects to the garbage collector, and destroy is not called.
 *
 * <p><b>Cost.</b> Usually acquiring and releasing are a restartable sequence each, on a stack that the current CPU has in
 * the per-CPU area, without an atomic instruction or allocation. An empty or full stack trades half of its size with a
 * store that all CPUs share, under a lock. A thread that holds a {@link dev.percpu.CpuGuard} should neither acquire nor
 * release: it cannot use its CPU's stack, and must not wait for that of another, so either may throw
 * {@link IllegalStateException}.
 *
 * <p>The idea is that of tcmalloc's per-CPU caches.
 *
 * @param <T> the objects' type
 */
public final class PerCpuPool<T> implements AutoCloseable {
    /*
     * The numbers of the places are handed out by PooledIds, as sequences can move numbers and not references. This class
     * has the objects, by number, and calls the hooks. A place is written by whoever has its number.
     */
    private final String name;
    private final Function<? super Pooled<T>, ? extends T> factory;
    private final @Nullable Consumer<? super T> reset;
    private final @Nullable Consumer<? super T> destroy;
    private final @Nullable Pooled<T>[] places;
    private final PooledIds ids;
    private final AtomicLong made = new AtomicLong();
    private final AtomicLong destroyed = new AtomicLong();

    PerCpuPool(PoolBuilder<T> builder) {
        name = builder.name == null ? "pool" : "pool \"" + builder.name + "\"";
        factory = builder.factory;
        reset = builder.reset;
        destroy = builder.destroy;
        places = newPlaces(builder.capacity);
        ids = new PooledIds(builder.capacity);
    }

    /**
     * Begins a pool.
     *
     * @param capacity how many objects there are at most
     * @param factory makes an object
     */
    public static <T> PoolBuilder<T> builder(int capacity, Supplier<? extends T> factory) {
        Objects.requireNonNull(factory, "factory");
        return new PoolBuilder<>(capacity, _ -> factory.get());
    }

    /**
     * Begins a pool of objects that know how to release themselves.
     *
     * @param capacity how many objects there are at most
     * @param factory makes an object that keeps the handle it is given; the handle works once the object is acquired
     */
    public static <T> PoolBuilder<T> builderWithHandle(int capacity, Function<? super Pooled<T>, ? extends T> factory) {
        return new PoolBuilder<>(capacity, factory);
    }

    /**
     * Acquires an object, and waits while all are held. A virtual thread gives its carrier up meanwhile.
     *
     * @throws InterruptedException if the thread is interrupted and would have to wait
     * @throws IllegalStateException if the pool is closed, also while the thread waits
     */
    public Pooled<T> acquire() throws InterruptedException {
        Pooled<T> pooled = pop();
        return pooled != null ? pooled : Objects.requireNonNull(hold(ids.seek(Long.MAX_VALUE)));
    }

    /**
     * Acquires an object, if one is not held or can be made. It does not wait for an object. But if idle ones lie on the
     * stack of a CPU whose {@link dev.percpu.CpuGuard} another thread holds, for whatever purpose, it waits until that thread
     * closes it, as all that look for an object elsewhere do.
     *
     * @return null if all are held
     * @throws IllegalStateException if the pool is closed
     */
    public @Nullable Pooled<T> tryAcquire() {
        Pooled<T> pooled = pop();
        return pooled != null ? pooled : hold(ids.seek());
    }

    /**
     * Acquires an object, and waits for a while if all are held.
     *
     * @return null if all are held and none was released for so long
     * @throws InterruptedException if the thread is interrupted and would have to wait
     * @throws IllegalStateException if the pool is closed, also while the thread waits
     */
    public @Nullable Pooled<T> tryAcquire(long timeout, TimeUnit unit) throws InterruptedException {
        Pooled<T> pooled = pop();
        return pooled != null ? pooled : hold(ids.seek(unit.toNanos(timeout)));
    }

    /** How many objects there are at most. */
    public int capacity() {
        return places.length;
    }

    /**
     * Closes the pool and destroys the objects that are idle. Those that are held are destroyed when they are released;
     * acquiring throws from now on. Closing it again does nothing.
     *
     * @throws RuntimeException what the destroy hook threw first, when it was called for all; it suppresses the others
     */
    @Override
    public void close() {
        ids.close();
        Registry.remove(this);
        Failures failures = new Failures();
        for (int id; (id = ids.takeIdle()) >= 0; ) {
            try {
                retire(place(id));
            } catch (Throwable t) {
                failures.add(t);
            }
        }
        failures.rethrow("an object could not be destroyed");
    }

    /**
     * What a pool holds and has done; not an atomic snapshot while it is in use.
     *
     * @param capacity how many objects there are at most
     * @param objects how many there are
     * @param idle how many of them nobody holds
     * @param held the others: those that are acquired, or are being reset or destroyed
     * @param waiting how many threads wait for one
     * @param made how many the factory made
     * @param destroyed how many of those are destroyed
     * @param exchanges how often acquiring or releasing came to the store that all share, under a lock: the pool is fast if
     *     this is rare. A thread without a CPU id has no stack to use instead
     * @param searches how often all CPUs were looked through, for which they are interrupted, as no object was at hand
     */
    public record Statistics(
            int capacity,
            long objects,
            long idle,
            long held,
            int waiting,
            long made,
            long destroyed,
            long exchanges,
            long searches) {}

    /** What the pool holds and has done. Counting costs nothing while acquiring and releasing are fast. */
    public Statistics statistics() {
        // In this order, or objects could be negative.
        long gone = destroyed.get();
        long all = made.get();
        PooledIds.Snapshot seen = ids.snapshot();
        long objects = all - gone;
        // Numbers that move from one CPU to another meanwhile are counted twice, or not.
        long idle = Math.min(seen.idle(), objects);
        return new Statistics(
                capacity(),
                objects,
                idle,
                objects - idle,
                seen.waiting(),
                all,
                gone,
                seen.exchanges(),
                seen.searches());
    }

    @Override
    public String toString() {
        return name + " of " + capacity() + (ids.isClosed() ? ", closed" : "");
    }

    void release(Pooled<T> pooled) {
        pooled.letGo();
        if (reset != null) {
            reset(reset, pooled);
        }
        int left = ids.give(pooled.id());
        if (left >= 0) {
            retire(place(left));
        }
    }

    /** The usual way to an object; null if it leads to none. */
    private @Nullable Pooled<T> pop() {
        long id = ids.pop();
        if (id < 0) {
            return null;
        }
        Pooled<T> pooled = place((int) id);
        pooled.take();
        if (ids.isDirect() && ids.isClosed()) {
            // A release pushed it while the pool was being closed, and will find it gone.
            pooled.letGo();
            retire(pooled);
            throw closed();
        }
        return pooled;
    }

    /** Makes the caller the holder of a place that was sought, and puts an object there if there is none. */
    private @Nullable Pooled<T> hold(int id) {
        if (id == PooledIds.NONE) {
            return null;
        }
        if (id == PooledIds.CLOSED) {
            throw closed();
        }
        Pooled<T> pooled = places[id];
        if (pooled == null) {
            pooled = make(id);
        }
        pooled.take();
        return pooled;
    }

    private Pooled<T> make(int id) {
        try {
            Pooled<T> pooled = new Pooled<>(this, id);
            pooled.setObject(Objects.requireNonNull(factory.apply(pooled), "the pool's factory returned null"));
            places[id] = pooled;
            made.incrementAndGet();
            return pooled;
        } catch (Throwable t) {
            ids.vacate(id);
            throw t;
        }
    }

    private void reset(Consumer<? super T> hook, Pooled<T> pooled) {
        try {
            hook.accept(pooled.object());
        } catch (Throwable t) {
            try {
                retire(pooled);
            } catch (Throwable alsoThrown) {
                Failures failures = new Failures();
                failures.add(alsoThrown);
                failures.addTo(t);
            }
            throw t;
        }
    }

    /** Destroys an object that is not held, whose number the caller has, and frees its place. */
    private void retire(Pooled<T> pooled) {
        T object = pooled.object();
        int id = pooled.id();
        places[id] = null;
        pooled.setObject(null);
        destroyed.incrementAndGet();
        try {
            if (destroy != null) {
                destroy.accept(object);
            }
        } finally {
            // Not before, as there could be one object too many.
            ids.vacate(id);
        }
    }

    /** The object of a number that is or was idle. */
    private Pooled<T> place(int id) {
        return Objects.requireNonNull(places[id]);
    }

    private IllegalStateException closed() {
        return new IllegalStateException("the " + name + " is closed: acquire from one that is open");
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // there are no generic arrays
    private static <T> @Nullable Pooled<T>[] newPlaces(int capacity) {
        return new Pooled[capacity];
    }
}

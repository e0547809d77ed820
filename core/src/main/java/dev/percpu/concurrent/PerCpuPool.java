package dev.percpu.concurrent;

import dev.percpu.internal.Registry;
import dev.percpu.listing.Value;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
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
 * An object is made if none is idle on the current CPU, and finding one elsewhere would cost more: idle objects of
 * other CPUs are taken first, at a limited rate. The pool never says that it is exhausted while an object is idle, on
 * whatever CPU it was released. What a holder does before the release happens before what the next holder
 * does after acquiring.
 *
 * <p><b>When all objects are held.</b> {@link #tryAcquire()} returns null, and a caller that can do with an object
 * outside the pool makes one. {@link #tryAcquire(long, TimeUnit)} waits for a while, and {@link #acquire()} until one
 * is released. The names are those of {@link java.util.concurrent.Semaphore}. There is no fairness: who comes when an
 * object is released may get it before one who waits.
 *
 * <p><b>Hooks.</b> The factory runs in the thread that acquires, reset in the one that releases, destroy in the one
 * that releases or closes; neither with a lock of the pool nor with a {@link dev.percpu.CpuGuard} held. What a hook
 * throws reaches the caller:
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
 * <p><b>Cost.</b> Usually acquiring and releasing are a restartable sequence each, on a stack that the current CPU has
 * in the per-CPU area, without an atomic instruction or allocation. An empty or full stack trades half of its size with
 * a store that all CPUs share, under a lock. A thread that holds a {@link dev.percpu.CpuGuard} should neither acquire
 * nor release: it cannot use its CPU's stack, and must not wait for that of another, so either may
 * throw {@link IllegalStateException}.
 *
 * <p><b>Errors.</b> If an error breaks a call off ({@link StackOverflowError}, say), each object is as it was before
 * the call or as it is after it. A release or close that was broken off can be repeated, and goes on where it stopped.
 *
 * <p><b>Checked mode.</b> With the system property {@code percpu.checked} set to {@code true}, each acquisition has a
 * handle of its own. Using it after its release always throws; the exception suppresses two others, whose stack traces
 * say where the object was acquired and where it was released. A handle that is collected by the garbage collector
 * without having been released is logged as a warning, to the logger {@code dev.percpu}. All that costs microseconds
 * for each acquisition: it is for tests.
 *
 * <p>The idea is that of tcmalloc's per-CPU caches.
 *
 * @param <T> the objects' type
 */
public final class PerCpuPool<T> extends PooledObjects<T> implements AutoCloseable {
    private final String name;

    PerCpuPool(PoolBuilder<T> builder) {
        super(builder);
        name = builder.name == null ? "pool" : "pool \"" + builder.name + "\"";
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
     * @throws IllegalStateException if the pool is closed, also while the thread waits; or if the thread would have to
     *     wait and holds a {@link dev.percpu.CpuGuard}
     */
    public Pooled<T> acquire() throws InterruptedException {
        Pooled<T> pooled = pop();
        return pooled != null ? pooled : Objects.requireNonNull(seek(Long.MAX_VALUE));
    }

    /**
     * Acquires an object, if one is not held or can be made. It does not wait for an object. But if idle ones lie on
     * the stack of a CPU whose {@link dev.percpu.CpuGuard} another thread holds, for whatever purpose, it waits until
     * that thread closes it. To wait for a limited time, use {@link #tryAcquire(long, TimeUnit)}.
     *
     * @return null if all are held
     * @throws IllegalStateException if the pool is closed
     */
    public @Nullable Pooled<T> tryAcquire() {
        Pooled<T> pooled = pop();
        return pooled != null ? pooled : seek();
    }

    /**
     * Acquires an object, and waits for a while if all are held, or if those that are not lie on the stack of a CPU
     * whose {@link dev.percpu.CpuGuard} another thread holds.
     *
     * @return null if none could be had for so long
     * @throws InterruptedException if the thread is interrupted and would have to wait
     * @throws IllegalStateException if the pool is closed, also while the thread waits; or if the thread would have to
     *     wait and holds a {@link dev.percpu.CpuGuard}
     */
    public @Nullable Pooled<T> tryAcquire(long timeout, TimeUnit unit) throws InterruptedException {
        Pooled<T> pooled = pop();
        return pooled != null ? pooled : seek(Math.max(0, unit.toNanos(timeout)));
    }

    /** How many objects there are at most. */
    public int capacity() {
        return places.length;
    }

    /**
     * Destroys idle objects, all but so many, as after a peak. Objects that lie on the stack of a CPU whose
     * {@link dev.percpu.CpuGuard} another thread holds are left alone. It costs a system call for each CPU that has
     * idle objects.
     *
     * @param keep how many idle objects to leave, at least
     * @return how many it destroyed
     * @throws IllegalArgumentException if {@code keep} is negative
     * @throws RuntimeException what the destroy hook threw first, when it was called for all; it suppresses the others
     */
    public int trim(int keep) {
        if (keep < 0) {
            throw new IllegalArgumentException("trim(" + keep + ") of " + this + ": keep none or some, 0 or more");
        }
        finishAll();
        return destroyIdle(ids.collect() - keep);
    }

    /**
     * Closes the pool and destroys the objects that are idle. Those that are held are destroyed when they are released;
     * acquiring throws from now on. Closing it again does nothing, or, if an error broke closing off, goes on with it.
     *
     * @throws RuntimeException what the destroy hook threw first, when it was called for all; it suppresses the others
     */
    @Override
    public void close() {
        ids.close();
        Registry.remove(this);
        try {
            finishAll();
        } finally {
            int _ = destroyIdle(capacity());
        }
    }

    /**
     * What a pool holds and has done. While it is in use this is not an atomic snapshot.
     *
     * @param capacity how many objects there are at most
     * @param objects how many there are
     * @param idle how many of them nobody holds
     * @param held the others: those that are acquired, or are being reset or destroyed
     * @param waiting how many threads wait for one
     * @param made how many the factory made
     * @param destroyed how many of those are destroyed
     * @param exchanges how often acquiring or releasing came to the store that all share, under a lock: the pool is
     *     fast if this is rare. A thread without a CPU id has no stack to use instead
     * @param searches how often other CPUs' stacks were looked through, for which CPUs are interrupted, as no object
     *     was at hand
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

    /** For a listing. */
    List<Value> values() {
        Statistics now = statistics();
        return List.of(
                Value.of("held", now.held),
                Value.of("idle", now.idle),
                Value.of("objects", now.objects),
                Value.of("capacity", now.capacity),
                Value.of("waiting", now.waiting),
                Value.sum("made", now.made),
                Value.sum("destroyed", now.destroyed),
                Value.sum("exchanges", now.exchanges),
                Value.sum("searches", now.searches));
    }

    @Override
    public String toString() {
        return name + " of " + capacity() + (ids.isClosed() ? ", closed" : "");
    }

    /** The usual way to an object; null if it leads to none. */
    private @Nullable Pooled<T> pop() {
        long id = ids.pop();
        if (id < 0) {
            return null;
        }
        // From here on nothing may fail until the object is held, or its number would be lost: so nothing is called.
        Pooled<T> place = places[(int) id];
        if (place == null || place.state != Pooled.IDLE) {
            throw twin((int) id);
        }
        place.state = Pooled.HELD;
        if (ids.isDirect() && ids.isClosed()) {
            // A release pushed it while the pool was being closed, and will find it gone.
            retire(place);
            throw closed();
        }
        return CheckedMode.ON ? lend(place) : place;
    }

    /** Where an object is had if {@link #pop} leads to none. */
    private @Nullable Pooled<T> seek() {
        if (unfinished) {
            finishAll();
        }
        return hold(ids.seek());
    }

    private @Nullable Pooled<T> seek(long nanos) throws InterruptedException {
        if (unfinished) {
            finishAll();
        }
        return hold(ids.seek(nanos));
    }

    /** Makes the caller the holder of a place that was sought, and puts an object there if there is none. */
    private @Nullable Pooled<T> hold(int sought) {
        if (sought < 0) {
            return refuse(sought);
        }
        Pooled<T> place;
        if ((sought & PooledIds.VACANT) != 0) {
            place = make(sought & ~PooledIds.VACANT);
        } else {
            place = places[sought];
            if (place == null || place.state != Pooled.IDLE) {
                throw twin(sought);
            }
            place.state = Pooled.HELD;
        }
        return CheckedMode.ON ? lend(place) : place;
    }

    private @Nullable Pooled<T> refuse(int why) {
        return switch (why) {
            case PooledIds.CLOSED -> throw closed();
            case PooledIds.HOLDS_GUARD ->
                throw new IllegalStateException(this + " is exhausted, and this thread holds"
                        + " the guard of a CPU: a thread must not wait while it holds a guard. Close the guard first, or use"
                        + " tryAcquire()");
            default -> null;
        };
    }

    private IllegalStateException closed() {
        return new IllegalStateException(this + ": acquire before it is closed, or make another pool");
    }
}

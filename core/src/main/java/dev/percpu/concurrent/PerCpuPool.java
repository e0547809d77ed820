package dev.percpu.concurrent;

import dev.percpu.internal.failure.Failures;
import dev.percpu.internal.jfr.Recording;
import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.listing.Values;
import dev.percpu.internal.protocol.StackRoom;
import dev.percpu.listing.Value;
import java.lang.ref.Reference;
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
 * <p><b>What it guarantees.</b> An object has one holder at a time. There are never more objects than the capacity. The
 * pool first takes an idle object of the current CPU, then, at a limited rate, one of another CPU, and otherwise makes
 * one. It never says that it is exhausted while an object is idle, on whatever CPU it was released. But a call that
 * must not wait, or whose time ran out, may miss objects that lie idle on a CPU whose guard another thread holds. What
 * a holder does before the release happens before what the next holder does after acquiring.
 *
 * <p><b>When all objects are held.</b> {@link #tryAcquire()} returns null, and its caller may make an object outside
 * the pool. {@link #tryAcquire(long, TimeUnit)} waits for a limited time, and {@link #acquire()} until one is released.
 * The names are those of {@link java.util.concurrent.Semaphore}. There is no fairness: a thread that arrives when an
 * object is released may get it before one that waits.
 *
 * <p><b>Hooks.</b> The factory runs in the thread that acquires, and reset in the one that releases. Destroy runs in
 * the one that releases, discards, trims or closes, or in one that acquires while the pool is being closed, or after
 * an error has interrupted destroying. The pool holds neither a lock nor a {@link dev.percpu.CpuGuard} while it calls a
 * hook. What a hook throws reaches the caller:
 *
 * <ul>
 *   <li>If the factory throws or returns null, nothing is acquired, and the next attempt can make an object.
 *   <li>If reset throws, the object is destroyed, and another can be made instead.
 *   <li>If destroy throws, the object counts as destroyed. Closing destroys the others, and then throws.
 * </ul>
 *
 * <p><b>Closing.</b> {@link #close()} destroys the idle objects. A held one is destroyed when it is released. Each is
 * destroyed once. If a pool becomes unreachable without being closed, the garbage collector collects its objects, and
 * destroy is not called.
 *
 * <p><b>Cost.</b> Acquiring and releasing usually take a restartable sequence each, on the current CPU's stack in the
 * per-CPU area: no atomic instruction, no allocation. An empty or full stack moves half of its size from or to a store
 * that all CPUs share, under a lock. A thread that holds a {@link dev.percpu.CpuGuard} cannot use that CPU's stack, and
 * must not wait for the guard of another, so acquiring may throw {@link IllegalStateException}. A release waits
 * for a guard in one case only: it began before {@link #close}, and another thread holds the guard of the CPU that the
 * object was released on. Then it waits for two seconds at most, or not at all if the thread holds a guard itself. If
 * that is in vain, the object stays until the next {@link #close} or {@link #trim}.
 *
 * <p><b>Errors.</b> If an error such as {@link StackOverflowError} interrupts a call, each object is as before the call
 * or as after it. Call an interrupted release, discard or close again, and it continues where it stopped. If nobody
 * does, an object that was not given back yet stays held. If it was given back already, or is being destroyed, a thread
 * that waits for it finds it, or destroys it and makes another, after a second or so. In checked mode, an acquisition
 * that cannot make its handle leaves the object to be destroyed in the same way.
 *
 * <p><b>Checked mode.</b> With the system property {@code percpu.checked} set to {@code true}, each acquisition has a
 * handle of its own. Using it after its release always throws; suppressed exceptions say where the object was acquired
 * and where it was released. If the garbage collector finds a handle that was not released, a warning goes to the
 * logger {@code dev.percpu}, unless the pool is unreachable too. A pool made by {@link #builderWithHandle} gives no
 * such warning, since its objects keep a handle. Checked mode costs microseconds for each acquisition: use it in tests.
 *
 * <p>The idea is that of tcmalloc's per-CPU caches.
 *
 * @param <T> the objects' type
 */
public final class PerCpuPool<T> extends PooledObjects<T> implements AutoCloseable {
    // This file is longer than others: it explains what a user of a pool has to know.
    private final String name;

    private @Nullable Reference<?> listed;

    PerCpuPool(PoolBuilder<T> builder) {
        super(builder);
        name = builder.label();
    }

    PerCpuPool<T> listed(String listedName) {
        listed = Registry.addClosable(listedName, "PerCpuPool", this, PerCpuPool::values);
        return this;
    }

    /**
     * Returns a builder of a pool.
     *
     * @param capacity how many objects there are at most
     * @param factory makes an object
     * @throws IllegalArgumentException if the capacity is not from 1 to 2^30
     */
    public static <T> PoolBuilder<T> builder(int capacity, Supplier<? extends T> factory) {
        Objects.requireNonNull(factory, "factory");
        return new PoolBuilder<>(capacity, _ -> factory.get(), false);
    }

    /**
     * Returns a builder of a pool whose objects release themselves.
     *
     * @param capacity how many objects there are at most
     * @param factory makes an object that keeps the handle it is given; the handle works once the object is acquired
     * @throws IllegalArgumentException if the capacity is not from 1 to 2^30
     */
    public static <T> PoolBuilder<T> builderWithHandle(int capacity, Function<? super Pooled<T>, ? extends T> factory) {
        return new PoolBuilder<>(capacity, factory, true);
    }

    /**
     * Acquires an object, and waits while all are held. A virtual thread frees its carrier while it waits.
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
     * Acquires an object, if one is idle or can be made. It does not wait for a release. But if the only idle ones lie
     * on the stack of a CPU whose {@link dev.percpu.CpuGuard} another thread holds, it waits until that thread closes
     * the guard. {@link #tryAcquire(long, TimeUnit)} with a time of 0 never waits.
     *
     * @return null if all are held
     * @throws IllegalStateException if the pool is closed; or if it would have to wait for a guard and the thread holds
     *     another {@link dev.percpu.CpuGuard}
     */
    public @Nullable Pooled<T> tryAcquire() {
        Pooled<T> pooled = pop();
        return pooled != null ? pooled : seek();
    }

    /**
     * Acquires an object. It waits for a limited time if all are held, or if the idle ones lie on the stack of a CPU
     * whose {@link dev.percpu.CpuGuard} another thread holds.
     *
     * @param timeout the longest time to wait; if it is not positive, the method does not wait
     * @return null if the time ran out
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
        return entries.length;
    }

    /**
     * Destroys idle objects except {@code keep} of them, for example after a peak. It leaves objects alone that lie on
     * the stack of a CPU whose {@link dev.percpu.CpuGuard} another thread holds. It costs a system call for each CPU
     * that has idle objects.
     *
     * @param keep how many idle objects to leave at least, if no thread acquires any meanwhile
     * @return how many it destroyed
     * @throws IllegalArgumentException if {@code keep} is negative
     * @throws RuntimeException what the destroy hook threw first, when it was called for all; it suppresses the others
     */
    public int trim(int keep) {
        if (keep < 0) {
            throw new IllegalArgumentException(
                    this + ": the number of objects to keep must be at least 0, not " + keep);
        }
        Failures failures = new Failures();
        // First. If the stacks cannot be emptied, and the pool is closed, nobody else comes to finish it.
        finishAll(failures);
        int most = 0;
        try {
            most = ids.collect() - keep;
        } catch (Throwable t) {
            failures.add(t);
        }
        return destroyIdle(most, failures);
    }

    /**
     * Closes the pool and destroys the idle objects. Held ones are destroyed when they are released. From now on,
     * acquiring throws. Closing again destroys what an error, or a release that found a guard taken, has left. If idle
     * objects lie on the stack of a CPU whose {@link dev.percpu.CpuGuard} another thread holds, it waits until that
     * thread closes the guard, without a limit.
     *
     * @throws IllegalStateException if it would have to wait for a guard and the thread holds another {@link
     *     dev.percpu.CpuGuard}; then the pool is still open
     * @throws RuntimeException what the destroy hook threw first, when it was called for all; it suppresses the others
     */
    @Override
    public void close() {
        Failures failures = new Failures();
        int most = 0;
        try {
            ids.close();
            most = capacity();
        } catch (Throwable t) {
            if (!ids.closed) {
                throw t;
            }
            // It was closed before, so nobody else comes to finish what was left.
            failures.add(t);
        }
        if (listed != null) {
            listed.clear();
        }
        finishAll(failures);
        int _ = destroyIdle(most, failures);
    }

    /**
     * How many objects a pool has, and how they were used. While the pool is in use, this is not an atomic snapshot.
     *
     * @param capacity how many objects there are at most
     * @param objects how many there are
     * @param idle how many of them nobody holds
     * @param held the others: those that are acquired, or being reset. One that is being made or destroyed is not
     *     among the objects, but takes one of the capacity
     * @param waiting how many threads wait for one
     * @param made how many the factory made
     * @param destroyed how many of those are destroyed
     * @param exchanges how often acquiring or releasing used the store that all CPUs share, under a lock. The pool is
     *     fast if this is rare. A thread without a CPU id always uses it
     * @param searches how often other CPUs' stacks were searched, which interrupts those CPUs
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

    /** The pool's numbers. Counting costs nothing while acquiring and releasing are fast. */
    public Statistics statistics() {
        // In this order, or objects could be negative.
        long gone = destroyed.get();
        long all = made.get();
        PooledIds.Snapshot seen = ids.snapshot();
        long objects = all - gone;
        // Ids that move from one CPU to another meanwhile are counted twice, or not.
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

    private List<Value> values() {
        Statistics now = statistics();
        return List.of(
                Values.of("held", now.held),
                Values.of("idle", now.idle),
                Values.of("objects", now.objects),
                Values.of("capacity", now.capacity),
                Values.of("waiting", now.waiting),
                Values.sum("made", now.made),
                Values.sum("destroyed", now.destroyed),
                Values.sum("exchanges", now.exchanges),
                Values.sum("searches", now.searches));
    }

    @Override
    public String toString() {
        return name + " (capacity " + capacity() + (ids.closed ? ", closed)" : ")");
    }

    /** Acquires an object that the current thread or CPU has; null if there is none. */
    private @Nullable Pooled<T> pop() {
        if (CheckedMode.ON) {
            // Once the object is held, the stack must not overflow before lent has begun: nobody would destroy it. If
            // pop finds none, ids.seek looks for room, too.
            StackRoom.CURRENT.ensure();
        }
        long id = ids.take();
        if (id < 0) {
            return null;
        }
        // Until the object is held, an error would lose its id: so nothing is called.
        Pooled<T> entry = entries[(int) id];
        if (entry == null || entry.state != Pooled.IDLE) {
            throw twin((int) id);
        }
        entry.state = Pooled.HELD;
        // Fields, and no methods. Closing sets "direct" too, so this is usually one load.
        if (ids.direct && ids.closed) {
            // A release pushed it while the pool was being closed.
            try {
                retire(entry);
            } finally {
                if (entry.state == Pooled.HELD) {
                    entry.state = Pooled.LEAVING;
                    entry.unfinished = true;
                    ids.unfinished = true;
                }
            }
            throw closed();
        }
        return CheckedMode.ON ? lent(entry) : entry;
    }

    /** Acquires an object if {@link #pop} found none. */
    private @Nullable Pooled<T> seek() {
        if (ids.unfinished) {
            finishAll();
        }
        int sought = ids.seek();
        if (sought == PooledIds.NONE) {
            Recording.poolExhausted(name, capacity());
        }
        return hold(sought);
    }

    private @Nullable Pooled<T> seek(long nanos) throws InterruptedException {
        if (!Recording.isOn()) {
            return hold(seekId(nanos));
        }
        int sought = seekId(0);
        if (sought == PooledIds.NONE) {
            Recording.poolExhausted(name, capacity());
            if (nanos > 0) {
                sought = awaitId(nanos);
            }
        }
        return hold(sought);
    }

    /** {@link #seekId} with a wait that is recorded. */
    private int awaitId(long nanos) throws InterruptedException {
        Recording.RecordedWait event = Recording.beginPoolAwaited(name, capacity());
        int sought = PooledIds.NONE;
        try {
            sought = seekId(nanos);
            return sought;
        } finally {
            try {
                Recording.end(event, sought >= 0);
            } catch (Throwable noRoom) {
                // For the call itself. Once the thread has an object's id, nothing may fail until it holds the object.
            }
        }
    }

    private int seekId(long nanos) throws InterruptedException {
        long start = System.nanoTime();
        while (true) {
            if (ids.unfinished) {
                finishAll();
            }
            int sought = ids.seek(Math.max(0, nanos - (System.nanoTime() - start)));
            if (sought != PooledIds.UNFINISHED) {
                return sought;
            }
        }
    }

    /** Makes the caller the holder of an entry, and makes an object if the entry is vacant. */
    private @Nullable Pooled<T> hold(int sought) {
        if (sought < 0) {
            return refuse(sought);
        }
        Pooled<T> entry;
        if ((sought & PooledIds.VACANT) != 0) {
            entry = make(sought & ~PooledIds.VACANT);
        } else {
            entry = entries[sought];
            if (entry == null || entry.state != Pooled.IDLE) {
                throw twin(sought);
            }
            entry.state = Pooled.HELD;
        }
        return CheckedMode.ON ? lent(entry) : entry;
    }

    private @Nullable Pooled<T> refuse(int why) {
        if (why == PooledIds.CLOSED) {
            throw closed();
        }
        return null;
    }

    private IllegalStateException closed() {
        return new IllegalStateException(name + " is closed: acquire before closing it, or make another pool");
    }
}

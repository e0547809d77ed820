package dev.percpu.concurrent;

import dev.percpu.CpuGuard;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.protocol.Fences;
import dev.percpu.internal.protocol.Stacks;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The numbers of a pool's places, from 0 on. Each is taken by one thread at a time, or idle, or vacant: its place has no
 * object. No code of the pool's user is called from here.
 *
 * <p>What the last holder of a number did before {@link #give} happens before what the next one does after {@link #pop}
 * or {@link #seek()}.
 */
final class PooledIds {
    /*
     * Idle numbers lie on a stack of the CPU that they were given back on. A shared store, under a lock, holds the rest:
     *
     *   stack of CPU 0 | stack of CPU 1 | ...      push and pop: one restartable sequence each
     *          \  ^         \  ^
     *   full    \  | empty: half a stack at a time
     *            v |
     *   shared store: idle numbers, vacant numbers
     *
     * A number given back on another CPU than it was taken on comes round through the shared store, at the price of one
     * lock for half a stack.
     *
     * Before anybody hears that there is no number, all stacks are looked through. Two things could hide one: a batch in
     * somebody's hands, and a stack that is filled after it was looked at. So batches are moved under the lock; and who
     * seeks sets "direct" first, which sends all that is given back to the shared store. That is an agreement of two
     * threads by a store and a load each, of which the processor may do the load first:
     *
     *   thread G gives a number back               thread S seeks one
     *   1. direct is false
     *                                              2. direct = true
     *                                              3. heavy fence
     *                                              4. the stack is empty
     *   5. pushes the number
     *   6. light fence
     *   7. direct is true: G gathers by itself
     *
     * Were G's load at 7 to come out false, it would have been before 2, so G was past the fence's point in its own
     * code when 3 put a fence there: then 5 is before 4, and S finds the number. On rseq the heavy fence is a system call
     * that interrupts the CPUs, and the light one is nothing, so that 6 and 7 cost a load. What G does if it finds
     * "direct" is what S does: S may have begun to wait, and G cannot know which stack it pushed to, as it may have been
     * moved since. In between, the number counts as G's, which has not returned.
     *
     * The other place where a wake-up could be lost is between S's look and S's wait; but both are under the lock, and
     * G signals under the lock.
     *
     * Direct ends when nobody waits and there are enough idle numbers to spread again, two for each CPU at least. So a
     * pool at the brink costs a lock each time and not a system call, and so does one that is too small to spread.
     *
     * The lock is held for nothing that waits: a guard is tried for under it and waited for without it. Otherwise the
     * owner of a guard that gives a number back would wait for the lock, and the lock's owner for the guard.
     *
     * Refused: a lock-free shared stack. A batch in a thread's hands is seen by nobody then, and a pool that is not
     * exhausted says that it is. And a count of what is idle, which would cost as much as the push.
     */
    private static final Stacks STACKS = Stacks.CURRENT;
    private static final Fences FENCES = Fences.CURRENT;

    /** What {@link #seek()} returns if nothing is idle or vacant. */
    static final int NONE = -1;

    /** What {@link #seek()} returns if the numbers are closed. */
    static final int CLOSED = -2;

    /** As many as keep the lock out of sight, and no more, since they lie idle on a CPU that does not need them. */
    private static final int LARGEST_STACK = 64;

    private final long position;
    private final int stackCapacity;
    private final int batch;
    private final int enoughToSpread;

    /** Whether the CPUs' stacks are left alone, as somebody seeks or waits, or the numbers are closed. */
    private volatile boolean direct;

    // What follows is protected by the lock.
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition available = lock.newCondition();
    private final IdStack idle;
    private final IdStack vacant;
    private int waiting;
    private boolean closed;
    private long exchanges;
    private long searches;

    PooledIds(int capacity) {
        int cpus = CpuMask.usable().weight();
        stackCapacity = Math.clamp(capacity / (2L * cpus), 1, LARGEST_STACK);
        batch = (stackCapacity + 1) / 2;
        enoughToSpread = Math.max(2 * cpus, batch);
        idle = new IdStack(capacity);
        vacant = new IdStack(capacity);
        for (int id = capacity - 1; id >= 0; id--) {
            vacant.push(id);
        }
        position = Area.allocateFor(this, Stacks.bytes(stackCapacity), Long.BYTES, "a pool");
    }

    /** Takes an idle number from the current CPU's stack; negative if there is none, which does not say that none is idle. */
    long pop() {
        try {
            long id = STACKS.pop(position);
            // The sequences are plain: on this architecture or that, reads could move up past them.
            VarHandle.acquireFence();
            return id;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** False if the numbers are not closed; true if they might be. */
    boolean isDirect() {
        return direct;
    }

    boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes a number, idle or else vacant, from wherever one is.
     *
     * @return the number, {@link #NONE} or {@link #CLOSED}
     */
    int seek() {
        lock.lock();
        try {
            return find();
        } finally {
            lock.unlock();
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Like {@link #seek()}, and waits if there is none.
     *
     * @param nanos how long to wait at most
     * @throws InterruptedException if the thread is interrupted while it waits, or was when it would have to
     */
    int seek(long nanos) throws InterruptedException {
        long left = nanos;
        lock.lock();
        try {
            while (true) {
                int id = find();
                if (id != NONE || left <= 0) {
                    return id;
                }
                waiting++;
                try {
                    left = available.awaitNanos(left);
                } finally {
                    waiting--;
                }
            }
        } finally {
            lock.unlock();
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Gives a number back.
     *
     * @return {@link #NONE}, or, if the numbers are closed, one that the caller has now and no one else
     */
    int give(int id) {
        try {
            if (!direct) {
                // Pairs with the fence in pop.
                VarHandle.releaseFence();
                if (STACKS.push(position, id, stackCapacity)) {
                    FENCES.light();
                    return direct ? gatherAfterGiving() : NONE;
                }
            }
            return giveShared(id);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Gives a number back whose place has no object any more. */
    void vacate(int id) {
        lock.lock();
        try {
            vacant.push(id);
            available.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Closes the numbers: none is taken any more. Those that are idle can be had from {@link #takeIdle}. */
    void close() {
        lock.lock();
        try {
            while (!closed && gather()) {
                // Somebody was at work on a stack, or something was found: look again until nothing is.
            }
            // Not before: if the search fails, the numbers are as open as they were.
            closed = true;
            available.signalAll();
        } finally {
            lock.unlock();
            Reference.reachabilityFence(this);
        }
    }

    /** Takes an idle number from the shared store; {@link #NONE} if there is none. */
    int takeIdle() {
        lock.lock();
        try {
            return idle.pop();
        } finally {
            lock.unlock();
        }
    }

    /**
     * What the numbers do; not an atomic snapshot while they are in use.
     *
     * @param idle how many are idle
     * @param waiting how many threads wait for one
     * @param exchanges how often somebody came to the shared store
     * @param searches how often all CPUs were looked through
     */
    record Snapshot(long idle, int waiting, long exchanges, long searches) {}

    Snapshot snapshot() {
        lock.lock();
        try {
            long count = idle.size();
            for (int cpu = 0; cpu < Area.CPUS; cpu++) {
                // Negative while a thread of the atomic back end is at work.
                count += Math.max(0, count(cpu));
            }
            return new Snapshot(count, waiting, exchanges, searches);
        } finally {
            lock.unlock();
            Reference.reachabilityFence(this);
        }
    }

    private int giveShared(int id) {
        lock.lock();
        try {
            exchanges++;
            if (closed) {
                return id;
            }
            addIdle(id);
            if (!direct) {
                spill();
            }
            settle();
            return NONE;
        } finally {
            lock.unlock();
        }
    }

    /**
     * What a thread does that has pushed a number and found that it should not have. If the numbers are closed, that is
     * the last that is heard of them, so the thread takes one with it, its own or that of another who is to come here.
     */
    private int gatherAfterGiving() {
        lock.lock();
        try {
            exchanges++;
            while (direct && gather()) {
                // As in close.
            }
            settle();
            return closed ? idle.pop() : NONE;
        } catch (Throwable t) {
            // The number may still be on a stack, and whoever waits for one has to look for it again.
            available.signalAll();
            throw t;
        } finally {
            lock.unlock();
        }
    }

    private int find() {
        exchanges++;
        while (!closed) {
            int id = takeShared();
            if (id >= 0) {
                settle();
                return id;
            }
            if (!gather()) {
                return NONE;
            }
        }
        return CLOSED;
    }

    /** Takes a number from the shared store, and some more for this CPU; {@link IdStack#EMPTY} if there is none. */
    private int takeShared() {
        int id = idle.pop();
        if (id < 0) {
            return vacant.pop();
        }
        if (!direct) {
            refill();
        }
        return id;
    }

    /** Fills the current CPU's stack by half, or with half of what there is. */
    private void refill() {
        VarHandle.releaseFence();
        for (int n = Math.min(batch, idle.size() / 2); n > 0; n--) {
            int id = idle.pop();
            if (!STACKS.push(position, id, stackCapacity)) {
                idle.push(id);
                return;
            }
        }
    }

    /** Empties the current CPU's stack by half. */
    private void spill() {
        for (int n = batch; n > 0; n--) {
            long id = STACKS.pop(position);
            if (id < 0) {
                return;
            }
            addIdle((int) id);
        }
    }

    /**
     * Sets {@link #direct} and brings what lies on the stacks to the shared store. Where a guard is taken it gives the
     * lock up and waits for it.
     *
     * @return false if nothing was found, and the lock was kept; then all numbers were taken at that moment, apart from
     *     those in the shared store
     */
    private boolean gather() {
        if (!direct) {
            searches++;
            direct = true;
            try {
                FENCES.heavy();
            } catch (Throwable t) {
                // Nobody can rely on it without the fence.
                direct = false;
                throw t;
            }
        }
        int before = idle.size();
        int busy = NONE;
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            if (!empty(cpu)) {
                busy = cpu;
            }
        }
        if (idle.size() == before && busy != NONE) {
            awaitGuard(CpuId.of(busy));
            return true;
        }
        return idle.size() != before;
    }

    /** Brings what lies on a CPU's stack to the shared store; false if somebody else is at work there. */
    private boolean empty(int cpu) {
        if (count(cpu) == 0) {
            return true;
        }
        // A sequence that popped or pushed without a look at the guard would count on what it read before.
        try (CpuGuard guard = CpuGuard.tryAcquire(CpuId.of(cpu))) {
            if (guard == null) {
                return false;
            }
            for (long id; (id = STACKS.popFrom(cpu, position)) >= 0; ) {
                addIdle((int) id);
            }
        }
        // On the atomic back end a thread may be in the middle of a push, with no guard.
        return count(cpu) == 0;
    }

    /** How many numbers a CPU's stack has; negative while a thread of the atomic back end is at work there. */
    private long count(int cpu) {
        return Stacks.count(cpu, position);
    }

    @SuppressWarnings("ThreadPriorityCheck") // a yield lets a thread go on that was preempted at work
    private void awaitGuard(CpuId cpu) {
        lock.unlock();
        try {
            try (CpuGuard _ = CpuGuard.acquire(cpu)) {
                // Had, so whoever was at work with it is done.
            }
            // Without the guard: a virtual thread may be away for long.
            Thread.yield();
        } finally {
            lock.lock();
        }
    }

    private void addIdle(int id) {
        if (idle.isFull()) {
            throw new IllegalStateException("object " + id + " of the pool was released by two threads at once");
        }
        idle.push(id);
        available.signal();
    }

    /** Leaves the stacks to the CPUs again once nobody waits and there is something to put on them. */
    private void settle() {
        if (direct && !closed && waiting == 0 && idle.size() >= enoughToSpread) {
            direct = false;
        }
    }
}

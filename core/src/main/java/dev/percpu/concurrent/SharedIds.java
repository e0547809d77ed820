package dev.percpu.concurrent;

import dev.percpu.CpuGuard;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.internal.protocol.Fences;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;

/**
 * The shared store of a pool's ids and its lock, and what moves ids between it and the CPUs' stacks. {@link PooledIds}
 * is what threads call. Unless a method says otherwise, its caller holds the lock.
 */
abstract class SharedIds extends CpuStacks {
    // This file is longer than others: comments say why ids move as they do.

    /*
     * Idle ids lie on the stack of the CPU that they were given back on. The shared store, under the lock, holds
     * the rest:
     *
     *   stack of CPU 0 | stack of CPU 1 | ...      push and pop: one restartable sequence each
     *          \  ^         \  ^
     *   full    \  | empty: half a stack at a time
     *            v |
     *   shared store: idle ids, vacant ids
     *
     * An id that is given back on another CPU than it was taken on returns through the shared store. That costs one use
     * of the lock for half a stack of ids.
     *
     * A thread uses k objects at once, again and again, and a stack has room for them. Then no id should move any more
     * after a while. Say a stack serves j - 1 acquisitions, and a refill then brings b ids. Later a release finds it
     * full: its own id goes to the shared store, and s more are spilled. So j + b - 1 - s are left. With s = b - 1 that
     * is j: each round needs the store for one id less. With s = b it stays j - 1: a stack of one id would move it to
     * and fro for ever. So each CPU remembers what its last refill brought, which may be less than half a stack, until
     * the first spill after it. A CPU on which ids are only given back spills half a stack each time.
     *
     * A vacant id means that an object has to be made. An idle id on another CPU's stack is better, but taking it
     * interrupts that CPU. If there are many on that stack, it always pays. If there are few, they are taken at a
     * limited rate. The rate is higher than that at which the scheduler moves threads between CPUs: so a single object
     * in use is found wherever it was released. If objects flow from one CPU to another faster than that, the pool
     * makes more, until there are enough to move in batches.
     *
     * While a thread holds the lock, it waits for nothing. Under the lock it only tries to acquire a guard. To wait for
     * a guard it releases the lock first. Otherwise the owner of a guard that gives an id back would wait for the lock,
     * and the owner of the lock for the guard.
     *
     * Refused: a lock-free shared stack. Other threads do not see a batch while a thread moves it, so a pool could say
     * that it is exhausted when it is not. Also refused: a count of idle ids, which would cost as much as the push.
     */
    private static final Fences FENCES = Fences.CURRENT;

    /** Nothing is idle or vacant. */
    static final int NONE = IdStack.EMPTY;

    /** Another thread has the guard of a CPU on whose stack ids lie; {@link #awaitGuard} waits for it. */
    static final int BUSY = -4;

    /** Set in an id that is vacant. */
    static final int VACANT = 1 << 30;

    /** How many ids there can be. */
    static final int MOST = VACANT;

    /** How many uses of the shared store cost as much as a system call that interrupts a CPU. */
    private static final int USES_PER_CALL = 64;

    /** If so many ids lie on another CPU's stack, moving them is cheap for each. */
    private static final int WORTH_A_CALL = 32;

    /**
     * If fewer lie there, they are moved once in this time at most. Time without such a move is saved up, but no more
     * than {@link #MOST_SAVED}.
     */
    private static final long NANOS_PER_MOVE = TimeUnit.MICROSECONDS.toNanos(100);

    private static final long MOST_SAVED = 64 * NANOS_PER_MOVE;

    private final int enoughToSpread;

    /**
     * Whether threads leave the CPUs' stacks alone, because a thread searches or waits, or because the ids are closed.
     * Written under the lock; {@link PooledIds#give} reads it without.
     */
    volatile boolean direct;

    private final StackSafeLock lock = new StackSafeLock();
    private final Condition available = lock.newCondition();
    final IdStack idle;
    final IdStack vacant;

    /** How many threads wait for an id. It is atomic as an error may end a wait without the lock. */
    final AtomicInteger waiting = new AtomicInteger();

    long exchanges;
    long searches;

    /** Written under the lock. */
    volatile boolean closed;

    /** A CPU whose guard {@link #gather} could not have. */
    int busyCpu;

    /** How many ids the next spill moves at most, by CPU. A hint: a thread may move before its pushes. */
    private final int[] toSpill = new int[Area.CPUS];

    /**
     * How often the shared store was used since a thread last searched in vain, and how often it must be used before
     * {@link #direct} ends.
     */
    private int uses;

    private int usesNeeded;

    /** Until when the moves of a few ids are paid for, see {@link #tryPay}. */
    private long paidUntil = System.nanoTime() - MOST_SAVED;

    SharedIds(int capacity, String label) {
        super(capacity, label);
        enoughToSpread = Math.max(2 * CpuMask.usable().weight(), batch);
        idle = new IdStack(capacity);
        vacant = new IdStack(capacity);
        Arrays.fill(toSpill, batch);
        for (int id = capacity - 1; id >= 0; id--) {
            vacant.push(id);
        }
    }

    /** Takes the lock. If this throws, the thread does not have it. */
    @SuppressWarnings("LockNotBeforeTry") // the caller releases it
    final void lock() {
        lock.lock();
    }

    /** Takes the lock again, which this operation has released. */
    final void lockAgain() {
        lock.lockInRoom();
    }

    /** Releases the lock, unless an error left the thread without it. */
    final void unlock() {
        if (lock.isHeldByCurrentThread()) {
            lock.unlock();
        }
    }

    /** How many ids there are. */
    final int capacity() {
        return idle.room() + idle.size();
    }

    /** Wakes a thread that waits for an id. A caller does so before it stores the id: see {@link PooledIds}. */
    final void signal() {
        available.signal();
    }

    private void signal(long threads) {
        for (long n = Math.min(waiting.get(), threads); n > 0; n--) {
            signal();
        }
    }

    /** Wakes all threads that wait for an id. */
    final void signalAll() {
        available.signalAll();
    }

    /** Wakes all, after an error that may have left the thread without the lock. */
    final void signalAllAfterError() {
        if (!lock.isHeldByCurrentThread()) {
            lock.lockInRoom();
        }
        signalAll();
    }

    /** How many threads wait for an id and have not been woken. A test asks this. */
    final int waitingUnsignalled() {
        return lock.getWaitQueueLength(available);
    }

    /** Waits for a signal, without the lock. If this throws an error, the thread may not have the lock any more. */
    @SuppressWarnings("WaitNotInLoop") // the caller looks again
    final void awaitSignal(long nanos) throws InterruptedException {
        waiting.incrementAndGet();
        try {
            long _ = available.awaitNanos(nanos);
        } finally {
            waiting.decrementAndGet();
        }
    }

    /** Takes an id from the shared store, and moves some more to this CPU's stack; negative if there is none. */
    final int takeShared() {
        int id = takeOne();
        if (id >= 0) {
            countUse();
        }
        return id;
    }

    private int takeOne() {
        if (idle.size() == 0) {
            if (vacant.size() == 0) {
                return NONE;
            }
            if (direct || !moveFew()) {
                return vacant.pop() | VACANT;
            }
        }
        // First, as it can fail, and takes half of what is idle at most.
        if (!direct) {
            refill();
        }
        return idle.pop();
    }

    /**
     * Moves half of the fullest stack to the shared store. Returns false if nothing is there, or if moving it costs
     * more than making an object.
     */
    private boolean moveFew() {
        int cpu = fullest();
        if (cpu == NO_CPU) {
            return false;
        }
        long count = count(cpu);
        if (count <= 0 || (count < WORTH_A_CALL && !tryPay())) {
            return false;
        }
        searches++;
        try {
            return move(cpu, (count + 1) / 2, idle) > 0;
        } catch (LinuxException refused) {
            // Moving would have saved making an object, which needs no system call.
            return false;
        }
    }

    /** Counts one more move of a few ids, if the rate allows it; false if not. */
    private boolean tryPay() {
        long now = System.nanoTime();
        if (now - paidUntil > MOST_SAVED) {
            paidUntil = now - MOST_SAVED;
        }
        if (now - paidUntil < NANOS_PER_MOVE) {
            return false;
        }
        paidUntil += NANOS_PER_MOVE;
        return true;
    }

    /** Moves idle ids to the current CPU's stack: half a stack, or half of what is idle if that is less. */
    private void refill() {
        int most = Math.min(batch, idle.size() / 2);
        toSpill[CpuId.current().id()] = most - 1;
        for (int n = most; n > 0; n--) {
            int id = idle.pop();
            boolean pushed = false;
            try {
                pushed = push(id);
            } finally {
                if (!pushed) {
                    idle.push(id);
                }
            }
            if (!pushed) {
                return;
            }
        }
    }

    /** Moves half of the current CPU's stack to the shared store; less, if it was refilled since the last time. */
    final void spill() {
        int cpu = CpuId.current().id();
        int most = Math.min(toSpill[cpu], idle.room());
        toSpill[cpu] = batch;
        for (int n = most; n > 0; n--) {
            long id = pop();
            if (id < 0) {
                return;
            }
            idle.push((int) id);
        }
    }

    /**
     * Sets {@link #direct} and moves what lies on the stacks to the shared store.
     *
     * @return how many ids it found. If none, all ids were taken at that moment, apart from those in the shared
     *     store. {@link #BUSY} if it found none and another thread is at work on a stack
     */
    final int gather() {
        if (!direct) {
            searches++;
            direct = true;
            uses = 0;
            usesNeeded = USES_PER_CALL;
            try {
                FENCES.heavy();
            } catch (Throwable t) {
                // Nobody can rely on it without the fence.
                direct = false;
                throw t;
            }
        }
        int before = idle.size();
        boolean busy = false;
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            if (!moveAll(cpu)) {
                busy = true;
                busyCpu = cpu;
            }
        }
        gatherKept();
        int found = idle.size() - before;
        return found == 0 && busy ? BUSY : found;
    }

    /** Moves what threads keep for themselves to the shared store. */
    void gatherKept() {
        // Usually they keep nothing.
    }

    /** {@link #gather}, and waits for the guard if another thread is at work on a stack. False if nothing was found. */
    final boolean gatherOrAwaitGuard() {
        int found = gather();
        if (found == BUSY) {
            awaitGuard();
        }
        return found != 0;
    }

    /** Moves what lies on a CPU's stack to the shared store; false if another thread is at work there. */
    final boolean moveAll(int cpu) {
        long count = count(cpu);
        if (count == 0) {
            return true;
        }
        usesNeeded += USES_PER_CALL;
        // On the atomic back end, the count says nothing while a thread is in a push.
        long expected = Math.max(count, 1);
        try (CpuGuard guard = CpuGuard.tryAcquire(CpuId.of(cpu))) {
            if (guard == null) {
                return false;
            }
            // With the guard: threads that look in vain would wake one another without a pause. And before the ids are
            // moved, see PooledIds.
            signal(expected);
            int moved = move(cpu, Long.MAX_VALUE, idle);
            // For what was pushed since. Its release finds nothing left to gather, and so wakes nobody.
            signal(moved - expected);
        }
        // On the atomic back end a thread at work there has no guard; then the count is negative.
        return count(cpu) == 0;
    }

    /** Waits for the guard that {@link #gather} could not have, without the lock. */
    @SuppressWarnings("ThreadPriorityCheck") // a yield lets a thread go on that was preempted at work
    final void awaitGuard() {
        CpuId cpu = CpuId.of(busyCpu);
        unlock();
        try {
            try (CpuGuard _ = CpuGuard.acquire(cpu)) {
                // The thread that worked on that CPU's stack is done.
            }
            // Without the guard: a virtual thread may be away for long.
            Thread.yield();
        } finally {
            lockAgain();
        }
    }

    /** Counts a use of the shared store, and ends {@link #direct} if that pays: see {@link PooledIds}. */
    final void countUse() {
        if (direct) {
            uses++;
            int left = idle.size();
            if (!closed && waiting.get() == 0 && (left >= enoughToSpread || (left > 0 && uses >= usesNeeded))) {
                direct = false;
            }
        }
    }

    /** Begins to count anew, as a thread has searched in vain. */
    final void searchedInVain() {
        uses = 0;
    }
}

package dev.percpu.concurrent;

import dev.percpu.CpuGuard;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.internal.protocol.Fences;
import java.lang.ref.Reference;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The numbers of a pool's places, from 0 on. Each is taken by one thread at a time, or idle, or vacant: its place has
 * no object. No code of the pool's user is called from here.
 *
 * <p>What the last holder of a number did before {@link #give} happens before what the next one does after {@link #pop}
 * or {@link #seek()}.
 *
 * <p>This file is longer than others: all that is done under the one lock is in it.
 */
final class PooledIds extends CpuStacks {
    /*
     * Idle numbers lie on a stack of the CPU that they were given back on. A shared store, under a lock,
     * holds the rest:
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
     * Before anybody hears that there is no number, all stacks are looked through. Two things could hide one: a batch
     * in somebody's hands, and a stack that is filled after it was looked at. So batches are moved under the lock; and
     * who seeks sets "direct" first, which sends all that is given back to the shared store. That is an agreement of
     * two threads by a store and a load each, of which the processor may do the load first:
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
     * code when 3 put a fence there: then 5 is before 4, and S finds the number. On rseq the heavy fence is a system
     * call that interrupts the CPUs, and the light one is nothing, so that 6 and 7 cost a load. What G does if it finds
     * "direct" is what S does: S may have begun to wait, and G cannot know which stack it pushed to, as it may have
     * been moved since. In between, the number counts as G's, which has not returned.
     *
     * The other place where a wake-up could be lost is between S's look and S's wait; but both are under the lock, and
     * G signals under the lock. It signals before it stores the number: should the signal fail, for want of stack,
     * nothing was done, and should the store fail, a waiter has looked once for nothing.
     *
     * Direct ends when nobody waits and there are enough idle numbers to spread again, two for each CPU at least. With
     * fewer it ends after a calm: so many numbers were taken from the shared store and given back to it, without one
     * seeker who found none, that their locks have cost what the next search will. So a pool at the brink, which would
     * search again at once, costs a lock each time and not system calls, and a pool of which a few are idle, or a small
     * one, is fast again. Searches never cost more than twice what a pool that knew the future would spend.
     *
     * A vacant number means that an object has to be made. Idle numbers on other CPUs' stacks are better, but taking
     * them interrupts the CPU. Where there are many it is always worth it. Where there are few, it is done at a limited
     * rate, which is more than threads are moved between CPUs: a single object in use is found, wherever it was
     * released. Where objects flow from one CPU to another in numbers, the rate is exceeded, and as many are made as
     * make batches.
     *
     * The lock is held for nothing that waits: a guard is tried for under it and waited for without it. Otherwise the
     * owner of a guard that gives a number back would wait for the lock, and the lock's owner for the guard.
     *
     * Refused: a lock-free shared stack. A batch in a thread's hands is seen by nobody then, and a pool that is not
     * exhausted says that it is. And a count of what is idle, which would cost as much as the push.
     */
    private static final Fences FENCES = Fences.CURRENT;

    /** What {@link #seek()} returns if nothing is idle or vacant. */
    static final int NONE = -1;

    /** What {@link #seek()} returns if the numbers are closed. */
    static final int CLOSED = -2;

    /** What {@link #seek(long)} returns if it would have to wait, and the thread holds a guard, so that it must not. */
    static final int HOLDS_GUARD = -3;

    /** Another thread has the guard of {@link #busyCpu}, on whose stack something lies. */
    private static final int BUSY = -4;

    /** Set in a number that {@link #seek()} returns if the number was vacant. */
    static final int VACANT = 1 << 30;

    /** How many uses of the shared store cost what a system call does that interrupts a CPU. */
    private static final int USES_PER_CALL = 64;

    /** With so many on another CPU's stack, moving them is cheap for each. */
    private static final int WORTH_A_CALL = 32;

    /** How often fewer are moved; so many such moves can be saved up. */
    private static final long NANOS_PER_MOVE = TimeUnit.MICROSECONDS.toNanos(100);

    private static final long MOST_SAVED = 64 * NANOS_PER_MOVE;

    /**
     * How long a thread that must keep its time waits until it looks again whether a guard is free: at first, and at
     * most.
     */
    private static final long SHORTEST_LOOK = TimeUnit.MICROSECONDS.toNanos(50);

    private static final long LONGEST_LOOK = TimeUnit.MILLISECONDS.toNanos(5);

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
    private int busyCpu;

    /** How often the shared store was used since a seeker last found none, and how often it must be to end direct. */
    private int calm;

    private int calmNeeded;

    /** Up to when the moves of a few numbers are paid for. */
    private long paidUntil = System.nanoTime() - MOST_SAVED;

    PooledIds(int capacity) {
        super(capacity);
        enoughToSpread = Math.max(2 * CpuMask.usable().weight(), batch);
        idle = new IdStack(capacity);
        vacant = new IdStack(capacity);
        for (int id = capacity - 1; id >= 0; id--) {
            vacant.push(id);
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
     * Takes a number, idle or else vacant, from wherever one is. Where another thread has the guard of a CPU on whose
     * stack there are some, it waits for that guard.
     *
     * @return the number, with {@link #VACANT} if it is; {@link #NONE} or {@link #CLOSED}
     */
    int seek() {
        lock.lock();
        try {
            exchanges++;
            for (int id; ; awaitGuard()) {
                if ((id = find()) != BUSY) {
                    return id;
                }
            }
        } finally {
            lock.unlock();
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Like {@link #seek()}, and waits if there is none. Waiting for a guard is part of that time.
     *
     * @param nanos how long to wait at most; not negative
     * @return also {@link #HOLDS_GUARD}
     * @throws InterruptedException if the thread is interrupted while it waits, or was when it would have to
     */
    int seek(long nanos) throws InterruptedException {
        long start = System.nanoTime();
        long look = SHORTEST_LOOK;
        lock.lock();
        try {
            exchanges++;
            while (true) {
                int id = find();
                if (id != NONE && id != BUSY) {
                    return id;
                }
                long left = nanos - (System.nanoTime() - start);
                if (left <= 0) {
                    return NONE;
                }
                if (Ownership.ownedBy(Thread.currentThread()) >= 0) {
                    return HOLDS_GUARD;
                }
                waiting++;
                try {
                    // Not for the guard itself: a number that is given back in the meantime is as good.
                    long _ = available.awaitNanos(id == BUSY ? Math.min(look, left) : left);
                } finally {
                    waiting--;
                }
                look = Math.min(2 * look, LONGEST_LOOK);
            }
        } finally {
            lock.unlock();
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Gives an object's number back. Whatever this throws, the object is held if it was not given back.
     *
     * @return {@link #NONE}, or, if the numbers are closed, one that the caller has now and no one else
     */
    int give(PooledFields<?> place) {
        try {
            if (!direct) {
                // Before the push: from then on the place is the next holder's to write.
                place.state = PooledFields.IDLE;
                boolean pushed;
                try {
                    pushed = push(place.id);
                } catch (Throwable t) {
                    place.state = PooledFields.HELD;
                    throw t;
                }
                if (pushed) {
                    return lookAgain();
                }
                place.state = PooledFields.HELD;
            }
            return giveShared(place);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** What follows a push: see 6 and 7 above. It returns what {@link #give} does. */
    int lookAgain() {
        FENCES.light();
        return direct ? gatherAfterGiving() : NONE;
    }

    /** Gives the number of a place back that has no object any more. It is either done or not, whatever this throws. */
    void vacate(PooledFields<?> place) {
        int before = place.state;
        // Before, as the place is another object's once its number is vacant.
        place.state = PooledFields.GONE;
        try {
            vacate(place.id);
        } catch (Throwable t) {
            place.state = before;
            throw t;
        }
    }

    /** Gives a number back whose place never had an object. */
    void vacate(int id) {
        lock.lock();
        try {
            available.signal();
            vacant.push(id);
        } finally {
            lock.unlock();
        }
    }

    /** Closes the numbers: none is taken any more. Those that are idle can be had from {@link #takeIdle}. */
    void close() {
        lock.lock();
        try {
            while (!closed && gatherOrAwaitGuard()) {
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

    /**
     * Brings what lies on the stacks to the shared store, as far as their guards are free.
     *
     * @return how many are in the shared store
     */
    int collect() {
        lock.lock();
        try {
            for (int cpu = 0; cpu < Area.CPUS; cpu++) {
                boolean _ = empty(cpu);
            }
            return idle.size();
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
     * What the numbers do, which is not an atomic snapshot.
     *
     * @param idle how many are idle
     * @param waiting how many threads wait for one
     * @param exchanges how often somebody came to the shared store
     * @param searches how often other CPUs' stacks were looked through
     */
    record Snapshot(long idle, int waiting, long exchanges, long searches) {}

    Snapshot snapshot() {
        lock.lock();
        try {
            return new Snapshot(idle.size() + total(), waiting, exchanges, searches);
        } finally {
            lock.unlock();
            Reference.reachabilityFence(this);
        }
    }

    private int giveShared(PooledFields<?> place) {
        lock.lock();
        try {
            exchanges++;
            if (closed) {
                return place.id;
            }
            if (idle.room() == 0) {
                throw tooMany();
            }
            available.signal();
            place.state = PooledFields.IDLE;
            try {
                idle.push(place.id);
            } catch (Throwable t) {
                place.state = PooledFields.HELD;
                throw t;
            }
            if (direct) {
                calm++;
                settle();
            } else {
                spill();
            }
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
            while (direct && gatherOrAwaitGuard()) {
                // As in close.
            }
            calm++;
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

    /** A number, {@link #NONE}, {@link #CLOSED} or {@link #BUSY}. */
    private int find() {
        while (!closed) {
            int id = takeShared();
            if (id >= 0) {
                if (direct) {
                    calm++;
                    settle();
                }
                return id;
            }
            int found = gather();
            if (found == BUSY) {
                return BUSY;
            }
            if (found == 0) {
                calm = 0;
                return NONE;
            }
        }
        return CLOSED;
    }

    /** Takes a number from the shared store, and some more for this CPU; negative if there is none. */
    private int takeShared() {
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
     * Brings half of the fullest stack to the shared store; false if there is nothing, or it costs more than making
     * one.
     */
    private boolean moveFew() {
        int cpu = fullest();
        if (cpu == NO_CPU) {
            return false;
        }
        long count = count(cpu);
        if (count <= 0 || (count < WORTH_A_CALL && !pays())) {
            return false;
        }
        searches++;
        try {
            return move(cpu, (count + 1) / 2, idle) > 0;
        } catch (LinuxException refused) {
            // It was to save an object's making, which needs no system call.
            return false;
        }
    }

    /** Whether the rate allows for one more move of a few numbers, which it then counts. */
    private boolean pays() {
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

    /** Fills the current CPU's stack by half, or with half of what there is. */
    private void refill() {
        for (int n = Math.min(batch, idle.size() / 2); n > 0; n--) {
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

    /** Empties the current CPU's stack by half. */
    private void spill() {
        for (int n = Math.min(batch, idle.room()); n > 0; n--) {
            long id = pop();
            if (id < 0) {
                return;
            }
            idle.push((int) id);
        }
    }

    /**
     * Sets {@link #direct} and brings what lies on the stacks to the shared store.
     *
     * @return how many were found; if none, all numbers were taken at that moment, apart from those in the shared
     *     store; or {@link #BUSY}, if none, and another thread is at work on a stack
     */
    private int gather() {
        if (!direct) {
            searches++;
            direct = true;
            calm = 0;
            calmNeeded = USES_PER_CALL;
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
            if (!empty(cpu)) {
                busy = true;
                busyCpu = cpu;
            }
        }
        int found = idle.size() - before;
        return found == 0 && busy ? BUSY : found;
    }

    /**
     * {@link #gather}, and where a guard is taken it gives the lock up and waits for it; false if nothing was found.
     */
    private boolean gatherOrAwaitGuard() {
        int found = gather();
        if (found == BUSY) {
            awaitGuard();
        }
        return found != 0;
    }

    /** Brings what lies on a CPU's stack to the shared store; false if somebody else is at work there. */
    private boolean empty(int cpu) {
        long count = count(cpu);
        if (count == 0) {
            return true;
        }
        calmNeeded += USES_PER_CALL;
        // Before, see above. On the atomic back end, the count says nothing while a thread is in the middle of a push.
        for (long n = Math.min(waiting, Math.max(count, 1)); n > 0; n--) {
            available.signal();
        }
        if (move(cpu, Long.MAX_VALUE, idle) < 0) {
            return false;
        }
        // On the atomic back end that thread has no guard.
        return count(cpu) == 0;
    }

    /** Waits for the guard of {@link #busyCpu}, without the lock. */
    @SuppressWarnings("ThreadPriorityCheck") // a yield lets a thread go on that was preempted at work
    private void awaitGuard() {
        CpuId cpu = CpuId.of(busyCpu);
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

    /** Leaves the stacks to the CPUs again once nobody waits and it is worth it: see above. */
    private void settle() {
        int left = idle.size();
        if (direct && !closed && waiting == 0 && (left >= enoughToSpread || (left > 0 && calm >= calmNeeded))) {
            direct = false;
        }
    }
}

package dev.percpu.concurrent;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.protocol.Fences;
import java.lang.ref.Reference;

/**
 * The ids of a pool's entries, from 0 on. An id is held by one thread, or idle, or vacant: its entry has no object.
 * This class calls no code of the pool's user.
 *
 * <p>What the last holder of an id did before {@link #give} happens before what the next one does after {@link #take}
 * or {@link #seek()}.
 */
sealed class PooledIds extends AwaitedIds permits KeptIds {
    /*
     * Before a thread hears that there is no id, all stacks are searched. Two things could hide an id: a batch that a
     * thread is moving, and a push onto a stack that the search has passed. So batches are moved under the lock. And a
     * search first sets "direct", which sends all that is given back to the shared store. For that two threads must
     * agree by a store and a load each, and a processor may do the load first:
     *
     *   thread G gives an id back                  thread S searches
     *   1. direct is false
     *                                              2. direct = true
     *                                              3. heavy fence
     *                                              4. the stack is empty
     *   5. pushes the id
     *   6. light fence
     *   7. direct is true: G gathers by itself
     *
     * If G's load at 7 reads false, it was done before the fence of 3 reached G: after that fence G would see 2. So 5
     * was done before that fence too, hence before 4, and S finds the id. On rseq the heavy fence is a system call that
     * interrupts the CPUs, and the light one is nothing, so 6 and 7 cost a load. If G finds "direct", it does what S
     * does: S may wait already, and G cannot know which stack it pushed to, as the scheduler may have moved it since.
     * In between, the id counts as held by G, whose call has not returned.
     *
     * A wake-up could also be lost between S's look and S's wait. But S does both under the lock, and G signals under
     * the lock. G signals before it stores the id: if the signal fails, for want of stack, nothing was done; if the
     * store fails, a waiter has looked once in vain.
     *
     * Direct ends when nobody waits and enough ids are idle to spread them again: two for each CPU at least. With fewer
     * it ends after a quiet period: since the last search that found nothing, the locks of the shared store have cost
     * as much as the next search will. So a pool that is almost exhausted, and would have to search again at once, pays
     * for a lock each time instead of system calls. A pool with only a few idle ids, or a small pool, becomes fast
     * again. Searches never cost more than twice what a pool that knew the future would pay.
     */
    private static final Fences FENCES = Fences.CURRENT;

    /** What {@link #seek()} returns if the ids are closed. */
    static final int CLOSED = -2;

    /** What {@link #seek(long)} returns if it would have to wait, and an entry may be {@link #unfinished}. */
    static final int UNFINISHED = -5;

    /**
     * Whether an entry may be {@link PooledFields#unfinished}. Its id becomes vacant once its object is destroyed. The
     * thread that failed to do so could not wake anybody.
     */
    volatile boolean unfinished;

    PooledIds(int capacity, String label) {
        super(capacity, label);
    }

    /**
     * Takes an id, idle or else vacant, from wherever one is. If another thread has the guard of a CPU on whose stack
     * the idle ones lie, it waits for that guard.
     *
     * @return the id, with {@link #VACANT} if it is; {@link #NONE} or {@link #CLOSED}
     */
    int seek() {
        lock();
        try {
            exchanges++;
            for (int id; ; awaitGuard()) {
                if ((id = find()) != BUSY) {
                    return id;
                }
            }
        } finally {
            unlock();
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Like {@link #seek()}, and waits if there is none. The time limit includes waiting for a guard.
     *
     * @param nanos how long to wait at most; not negative
     * @return also {@link #UNFINISHED}
     * @throws IllegalStateException if it would have to wait and the thread holds a guard, so that it must not
     * @throws InterruptedException if the thread is interrupted while it waits, or was before it would have to
     */
    int seek(long nanos) throws InterruptedException {
        long start = System.nanoTime();
        long look = SHORTEST_LOOK;
        lock();
        try {
            exchanges++;
            while (true) {
                int id = find();
                if (id != NONE && id != BUSY) {
                    return id;
                }
                if (unfinished) {
                    return UNFINISHED;
                }
                long left = nanos - (System.nanoTime() - start);
                if (left <= 0) {
                    return NONE;
                }
                Ownership.refuseToWait("an object of ", label);
                if (reportIfLong(start, id == BUSY)) {
                    continue;
                }
                // Not for the guard itself: an id that is given back in the meantime will do.
                awaitSignal(Math.min(left, id == BUSY ? look : untilUnasked()));
                look = Math.min(2 * look, LONGEST_LOOK);
            }
        } finally {
            unlock();
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Gives an object's id back. If this throws, the object is held.
     *
     * @return {@link #NONE}; or, if the ids are closed, one that the caller has now and no one else
     */
    int give(PooledFields<?> entry) {
        try {
            if (!direct) {
                // Before the push: from then on the entry is the next holder's to write.
                entry.state = PooledFields.IDLE;
                boolean pushed;
                try {
                    pushed = put(entry);
                } catch (Throwable t) {
                    entry.state = PooledFields.HELD;
                    throw t;
                }
                if (pushed) {
                    try {
                        return lookAgain();
                    } catch (Throwable _) {
                        // The id is given back, and may be another thread's by now. If this failed, the caller would
                        // give it back once more, for that thread. Whoever waits for an id looks unasked, and if the
                        // ids are closed, the next close or trim finds this one.
                        return NONE;
                    }
                }
                entry.state = PooledFields.HELD;
            }
            return giveShared(entry);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** What follows a push: steps 6 and 7 above. It returns what {@link #give} does. */
    int lookAgain() {
        FENCES.light();
        return direct ? gatherAfterGiving() : NONE;
    }

    /** Gives back the id of an entry that has no object any more. If this throws, nothing was done. */
    void vacate(PooledFields<?> entry) {
        int before = entry.state;
        // Before, as the entry is another object's once its id is vacant.
        entry.state = PooledFields.GONE;
        try {
            vacate(entry.id);
        } catch (Throwable t) {
            entry.state = before;
            throw t;
        }
    }

    /** Gives back an id whose entry has no object: none was made, or it is destroyed. */
    void vacate(int id) {
        lock();
        try {
            signal();
            vacant.push(id);
        } finally {
            unlock();
        }
    }

    /**
     * Closes the ids: from now on none is taken. {@link #takeIdle} returns those that are idle. Closing them again
     * collects what was given back since and could not be collected then.
     */
    void close() {
        lock();
        try {
            while (gatherOrAwaitGuard()) {
                // Another thread was at work on a stack, or something was found: look again until nothing is.
            }
            // Not before: if the search fails, the ids are as open as they were.
            closed = true;
            signalAll();
        } finally {
            unlock();
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Moves what lies on the stacks to the shared store, apart from stacks whose CPU's guard another thread has.
     *
     * @return how many are in the shared store
     */
    int collect() {
        lock();
        try {
            for (int cpu = 0; cpu < Area.CPUS; cpu++) {
                boolean _ = moveAll(cpu);
            }
            return idle.size();
        } finally {
            unlock();
            Reference.reachabilityFence(this);
        }
    }

    /** Takes an idle id from the shared store; {@link #NONE} if there is none. */
    int takeIdle() {
        lock();
        try {
            return idle.pop();
        } finally {
            unlock();
        }
    }

    /**
     * What the ids do, which is not an atomic snapshot.
     *
     * @param idle how many are idle
     * @param waiting how many threads wait for one
     * @param exchanges how often a thread used the shared store
     * @param searches how often a thread searched other CPUs' stacks
     */
    record Snapshot(long idle, int waiting, long exchanges, long searches) {}

    Snapshot snapshot() {
        lock();
        try {
            return new Snapshot(idle.size() + total(), waiting.get(), exchanges, searches);
        } finally {
            unlock();
            Reference.reachabilityFence(this);
        }
    }

    private int giveShared(PooledFields<?> entry) {
        lock();
        try {
            exchanges++;
            if (closed) {
                return entry.id;
            }
            if (idle.room() == 0) {
                throw tooMany();
            }
            signal();
            entry.state = PooledFields.IDLE;
            try {
                idle.push(entry.id);
            } catch (Throwable t) {
                entry.state = PooledFields.HELD;
                throw t;
            }
            if (direct) {
                countUse();
            } else {
                spill();
            }
            return NONE;
        } finally {
            unlock();
        }
    }

    /**
     * Moves what is on the stacks to the shared store. A thread calls this if it has pushed an id, and then found
     * {@link #direct} set. If the ids are closed, nobody looks for that id any more. So the thread takes one from the
     * shared store: its own, or that of another thread that is about to come here.
     */
    private int gatherAfterGiving() {
        // Not in the try: if the stack has no room for the lock, it has none for the handler's either.
        lock();
        try {
            exchanges++;
            long start = System.nanoTime();
            while (direct) {
                int found = gather();
                if (found == 0) {
                    break;
                }
                if (found == BUSY && !waitForGuard(start)) {
                    // The id is given back, and the guard's owner may keep it for ever. Those that wait for an id look
                    // again until the guard is free.
                    signalAll();
                    break;
                }
            }
            countUse();
            return closed ? idle.pop() : NONE;
        } catch (Throwable t) {
            // The id may still be on a stack, and whoever waits for one has to look for it again.
            signalAllAfterError();
            throw t;
        } finally {
            unlock();
        }
    }

    /** An id, {@link #NONE}, {@link #CLOSED} or {@link #BUSY}. */
    private int find() {
        while (!closed) {
            int id = takeShared();
            if (id >= 0) {
                return id;
            }
            int found = gather();
            if (found == BUSY) {
                return BUSY;
            }
            if (found == 0) {
                searchedInVain();
                return NONE;
            }
        }
        return CLOSED;
    }
}

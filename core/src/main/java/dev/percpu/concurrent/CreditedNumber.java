package dev.percpu.concurrent;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.protocol.Credits;
import dev.percpu.internal.protocol.StackRoom;
import java.io.Serial;
import java.lang.ref.Reference;

/**
 * The number of a {@link PerCpuBoundedCounter}. Each CPU has a credit: additions take from it, and subtractions put
 * into it. Some additions are limited, and never take the number above their limit.
 */
abstract class CreditedNumber extends AreaNumber {
    /*
     * Open, the state is G, what was handed out, and a credit for each CPU, from 0 to twice the batch:
     *
     *     value = G - sum of the credits, so value <= G
     *
     * What is in a credit has been added to G already. add(x) takes x out of the CPU's credit, sub(x) puts it in. When
     * it is empty, add raises G by x and a batch, and puts the batch in; when it is full, sub lowers G by x and a batch
     * that it takes out. Both happen under the lock, so the thread that has the lock knows where each unit is.
     *
     * Shut, the credits are taken, so that they are 0, and the value is in `settled`, which is changed by
     * compare-and-set only. An operation that finds the counter shut goes there.
     *
     * tryAdd(x, limit) takes x out of the credit if G is at most the limit. The look at G and the taking are in one
     * sequence. It is as if the addition happened at the look. At that moment, value + x <= G, since the credit holds
     * at least x, and nobody else takes from it on this CPU. Two steps, a look and then the taking, would be wrong:
     *
     *   thread T, limit 100                       others
     *   1. G is 100
     *      is preempted
     *                                             2. spend all credit, the value is 100
     *                                             3. add(1) raises G to 133, and puts a credit of 32 in: value 101
     *   4. takes 1 from the credit: value 102
     *
     * In one sequence, 1 starts over after the preemption and sees 133. On another CPU, 3 can come between look and
     * commit; but then T's credit is one that T's CPU had at the look, and T came before 2 and 3.
     *
     * If G is above the limit, the value may still be below it. Then all credits are taken: the sequences that saw an
     * earlier G are restarted, and no credit is used any more while they are added up. Without that:
     *
     *   collecting thread R                       thread T on CPU 1, whose credit is 5
     *                                             1. sees G, loads 5
     *   2. takes the 5: the value is 95
     *   3. adds 5 to 95, the limit
     *                                             4. commits 5 - 1: the value is 101, and a credit of 4 is back
     *
     * The counter stays shut near the limit, so that a quota that is used up is cheap: each refusal is a look at
     * `settled`. It is opened when the distance of the value from the limit is twice what all credits together can be,
     * or as many amounts. So many operations lie between two collections. The distance affects only speed.
     *
     * trySub(x, limit) lowers G by x under the lock, if G would be above the limit even with all credits full: the
     * others can lower the value only by filling them. Otherwise it collects, as tryAdd does. There is no quick way: a
     * sequence could look whether G is large enough, but the credits that others fill meanwhile lower the value without
     * changing G.
     *
     * Refused: a limit that is fixed at construction, with every reservation below it. It needs no look at G, and saves
     * nothing: reading a line that nobody writes is free. Refused: credits under the CPUs' guards. A thread that has a
     * guard for something else would hold up the counter.
     */
    private static final Credits CREDITS = Credits.CURRENT;

    @Serial
    private static final long serialVersionUID = 1;

    static {
        // Not at the first limit, when the heap may be full.
        Credits.initialize();
        StackRoom _ = StackRoom.CURRENT;
    }

    /** A cache line of its own for each CPU's credit, and for G, which all threads read. */
    private static final int BYTES = 64;

    /** How much of G goes to a CPU's credit at once. */
    final int batch;

    private final SettledCount settled;

    CreditedNumber(String label, int batch) {
        super(label, BYTES, BYTES);
        this.batch = batch;
        this.settled = new SettledCount(label, batch);
    }

    /** Sets the value of a counter that no thread has used yet. It may lie a little out of the range. */
    final void begin(long value) {
        setHandedOut(value);
    }

    /** The counter's name, for messages. */
    final String label() {
        return settled.label();
    }

    /** Half of what all credits can come to, and a batch. */
    final long mostError() {
        // A credit is up to two batches. The one more is for the batch on its way from G to a credit: see reserve.
        return batch * (Area.CPUS + 1L);
    }

    /** Adds from the current CPU's credit; false if G is above {@code most}, or the credit does not go as far. */
    final boolean addByCredit(long x, long most) {
        return CREDITS.add(position(), -x, mostCredit(), most);
    }

    final long exactSum() {
        long value = settled.get();
        return value != SettledCount.OPEN ? value : lockedSum();
    }

    private synchronized long lockedSum() {
        long value = settled.get();
        if (value != SettledCount.OPEN) {
            return value;
        }
        try {
            return handedOut() - CREDITS.sum(position());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    final void addCentrally(long x) {
        while (true) {
            long value = settled.get();
            if (value == SettledCount.OPEN) {
                if (addReserving(x)) {
                    return;
                }
            } else if (settled.compareAndSet(value, settled.checked(value, x))) {
                openIfFar(value + x);
                return;
            }
        }
    }

    final boolean tryAddCentrally(long amount, long limit) {
        long most = limit - amount;
        if (most > limit) {
            // An underflow, so no value is as small as that.
            return false;
        }
        while (true) {
            long value = settled.get();
            if (value == SettledCount.OPEN) {
                long handedOut = handedOut();
                if (handedOut != Credits.TAKEN && handedOut - 2 * mostError() > most) {
                    // Even if all credits were full.
                    return false;
                }
                if (reserveOrShut(amount, most)) {
                    return true;
                }
            } else if (value > most) {
                return false;
            } else if (settled.compareAndSet(value, settled.checked(value, amount))) {
                openIfFar(value + amount);
                return true;
            }
        }
    }

    final boolean trySubCentrally(long amount, long limit) {
        long least = limit + amount;
        if (least < limit) {
            // An overflow, so no value is as large as that.
            return false;
        }
        while (true) {
            long value = settled.get();
            if (value == SettledCount.OPEN) {
                if (handedOut() < least) {
                    // G is below the least, and the value is never above G. (While the credits are taken, handedOut()
                    // is the largest long.)
                    return false;
                }
                if (lowerOrShut(amount, least)) {
                    return true;
                }
            } else if (value < least) {
                return false;
            } else if (settled.compareAndSet(value, settled.checked(value, -amount))) {
                openIfFar(value - amount);
                return true;
            }
        }
    }

    /*
     * The methods below change a credit and then G, or collect the credits and then settle the value. If the stack
     * overflowed between the two, what was taken from the credits would be lost. So each looks for room first.
     */

    /** Returns false if the counter is shut. */
    private synchronized boolean addReserving(long x) {
        StackRoom.CURRENT.ensure();
        if (settled.get() != SettledCount.OPEN) {
            return false;
        }
        if (x >= 0) {
            reserve(x);
        } else {
            // Before anything is taken, as it may throw.
            long needed = settled.checked(handedOut(), x, -batch);
            boolean taken = addByCredit(batch, Credits.UNLIMITED);
            setHandedOut(taken ? needed - batch : needed);
        }
        return true;
    }

    /** Adds if there is room even for G and a batch; otherwise it returns false, and the counter is shut. */
    private synchronized boolean reserveOrShut(long amount, long most) {
        StackRoom.CURRENT.ensure();
        if (settled.get() != SettledCount.OPEN) {
            return false;
        }
        long handedOut = handedOut();
        if (handedOut + batch <= most) {
            reserve(amount);
            return true;
        }
        shut(most, amount);
        return false;
    }

    /**
     * Subtracts if there is room even if all credits are full, or tells that there cannot be any; otherwise the
     * counter is shut.
     */
    private synchronized boolean lowerOrShut(long amount, long least) {
        StackRoom.CURRENT.ensure();
        if (settled.get() != SettledCount.OPEN) {
            return false;
        }
        long handedOut = handedOut();
        if (handedOut - 2 * mostError() >= least) {
            setHandedOut(settled.checked(handedOut, -amount));
            return true;
        }
        shut(least, amount);
        return false;
    }

    /** Collects all credits. The lock is held, and the counter is open. */
    private void shut(long nearby, long amount) {
        long handedOut = handedOut();
        settled.near(nearby, amount);
        boolean taken = false;
        try {
            settled.set(handedOut - CREDITS.take(position()));
            taken = true;
        } finally {
            if (!taken) {
                // Otherwise G's word would still say TAKEN, and others would take that for G.
                setHandedOut(handedOut);
            }
        }
    }

    /** Raises G by the amount and a batch for the current CPU's credit. The lock is held. */
    private void reserve(long amount) {
        long before = handedOut();
        long needed = settled.checked(before, amount, batch);
        long raised = needed + batch;
        // First G, then the credit, since G includes what is in a credit. A thread that reads G in between sees a batch
        // that is in no credit yet. The lock is held, so there is only one such batch, and mostError() allows for it.
        setHandedOut(raised);
        long handedOut = before;
        try {
            // Refused if others have filled it meanwhile, or if this thread has no CPU id.
            handedOut = addByCredit(-batch, Credits.UNLIMITED) ? raised : needed;
        } finally {
            // If the stack overflows in the sequence, nothing was added.
            if (handedOut != raised) {
                setHandedOut(handedOut);
            }
        }
    }

    /**
     * Opens the counter if it is shut and the value is far from what it was shut for. The caller's operation is done by
     * then, so it must not throw: its caller would take it for refused.
     */
    private void openIfFar(long value) {
        if (settled.isFar(value)) {
            try {
                open();
            } catch (StackOverflowError noRoom) {
                // The value is right while the counter is shut. A later operation that changes it opens the counter.
            }
        }
    }

    private synchronized void open() {
        StackRoom.CURRENT.ensure();
        long value = settled.get();
        if (value != SettledCount.OPEN && settled.isFar(value)) {
            // In this order: a thread that sees neither waits for the lock.
            long opening = settled.getAndSet(SettledCount.OPEN);
            boolean opened = false;
            try {
                setHandedOut(opening);
                opened = true;
            } finally {
                if (!opened) {
                    settled.set(opening);
                }
            }
        }
    }

    private long mostCredit() {
        return 2L * batch;
    }

    /** What has been handed out, credits included: never below the value; or {@link Credits#TAKEN}. */
    final long handedOut() {
        return Credits.handedOut(position());
    }

    private void setHandedOut(long value) {
        Credits.setHandedOut(position(), value);
    }
}

package dev.percpu.concurrent;

import dev.percpu.internal.Registry;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.protocol.Credits;
import dev.percpu.internal.protocol.Gate;
import dev.percpu.memory.AreaFullException;
import java.io.Serial;
import java.io.Serializable;
import java.lang.ref.Reference;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A count with a cheap estimate, whose error is bounded, and additions that never take it above a limit: for quotas, rate
 * limits and what is to be compared with a threshold again and again.
 *
 * <pre>{@code
 * PerCpuBoundedCounter inUse = new PerCpuBoundedCounter();
 *
 * if (inUse.tryAdd(size, quota)) {
 *     try { ... } finally { inUse.sub(size); }
 * }
 * }</pre>
 *
 * <p>Every CPU has a credit of up to twice the batch, which it adds from and subtracts into by one restartable sequence.
 * Only when it is used up or full, once in about as many operations as the batch is large, is the shared count
 * touched. So amounts should be well below the batch: larger ones always touch it. It takes 64 bytes for each CPU. The
 * memory is given back once the counter is unreachable.
 *
 * <p><b>Limits.</b> {@link #tryAdd} succeeds only if the value is at most the limit after it, and fails only if there
 * was a moment during the call when it would have been above: whatever other threads do, no credit of any CPU is left
 * aside, and a quota of 1000 is exactly 1000 additions of 1. Different calls may have different limits. Near a limit
 * the credits of all CPUs are collected, which costs a system call that interrupts them for a moment, and the counter
 * goes on as one atomic number until the value is away from the limit again. If the limit is not above
 * {@link #errorBound()} times four, that is where it always is, and an {@link AtomicLong} does the same.
 *
 * <p><b>Ordering.</b> Operations are opaque and order nothing else. Estimates and sums are opaque, too.
 *
 * <p><b>Range.</b> Additions that would take the value beyond 2^62 or -2^62 throw {@link ArithmeticException}. How near the end of
 * the range that begins depends on the credits: within twice the {@link #errorBound()} of it, before or after. Those that lead
 * back into the range work wherever the value is. It serializes as its sum and batch.
 *
 * <p>It is the kernel's {@code percpu_counter}: {@code percpu_counter_read} is here {@link #estimate()}, {@code _sum} is
 * {@link #sum()}, {@code _compare} is {@link #compareValueTo}, and {@code _limited_add} is {@link #tryAdd}.
 */
public final class PerCpuBoundedCounter extends AreaNumber {
    /*
     * Open, the state is G, the gate, and a credit for each CPU, from 0 to twice the batch:
     *
     *     value = G - sum of the credits, so value <= G
     *
     * What is in a credit has been added to G already. add(x) takes x out of the CPU's credit, sub(x) puts it in. When
     * it is empty, add raises G by x and a batch, and puts the batch in; when it is full, sub lowers G by x and a batch
     * that it takes out. This is done under the lock, so whoever has the lock knows of every unit where it is.
     *
     * Shut, the gate is the largest number there is, the credits are 0, and the value is in `settled`, which is changed
     * by compare-and-set only. Whatever looks at the gate fails, and goes there.
     *
     * tryAdd(x, limit) takes x out of the credit if G is at most the limit. The look at G and the taking are in one
     * sequence. It is as if it happened at the look: then value + x <= G, as the credit, of which nobody else takes on
     * this CPU, holds at least x. Looking first and taking then, in two steps, would be wrong:
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
     * If G is above the limit, the value may still be below it. Then all credits are collected: the gate is shut, which
     * restarts the sequences that saw it open, and no credit is used any more while they are added up. Without that:
     *
     *   collecting thread R                       thread T on CPU 1, whose credit is 5
     *                                             1. sees G, loads 5
     *   2. takes the 5: the value is 95
     *   3. adds 5 to 95, the limit
     *                                             4. commits 5 - 1: the value is 101, and a credit of 4 is back
     *
     * Staying shut near the limit is what makes a quota that is used up cheap: each refusal is a look at `settled`. It is
     * opened when the value is further away from the limit than all credits together can be, and as much again, so that
     * many operations lie between two collections.
     *
     * Refused: a limit that is fixed at construction, with every reservation below it. It needs no look at G, and saves
     * nothing: a line that is only read is free. Refused: the credits under the CPUs' guards. Whoever has a guard for
     * anything else would hold up the counter.
     */
    private static final Credits CREDITS = Credits.CURRENT;

    @Serial
    private static final long serialVersionUID = 1;

    /** What the kernel has on machines with up to 16 CPUs. */
    public static final int DEFAULT_BATCH = 32;

    /** What {@link #settled} is while the gate is open. */
    private static final long OPEN = Long.MIN_VALUE;

    private static final long LARGEST_VALUE = 1L << 62;
    private static final int LARGEST_BATCH = 1 << 30;

    /** A line of its own for each CPU's credit, and for the gate, which everyone looks at. */
    private static final int BYTES = 64;

    private final int batch;
    private final AtomicLong settled = new AtomicLong(OPEN);

    /** The largest value that the addition would have fitted on for which the gate was shut last. */
    private volatile long nearby;

    /** Makes a counter that is 0, with the {@link #DEFAULT_BATCH}. */
    public PerCpuBoundedCounter() {
        this(DEFAULT_BATCH);
    }

    /**
     * Makes a counter that is 0.
     *
     * @param batch how much a CPU may add or subtract by itself: larger is faster, and makes estimates less exact
     * @throws IllegalArgumentException if the batch is not from 1 to 2^30
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuBoundedCounter(int batch) {
        this(batch, "a PerCpuBoundedCounter");
    }

    /**
     * Makes a counter that is 0 and has a name.
     *
     * @param name for messages and listings; it need not be unique
     * @param batch how much a CPU may add or subtract by itself: larger is faster, and makes estimates less exact
     * @throws IllegalArgumentException if the batch is not from 1 to 2^30
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuBoundedCounter(String name, int batch) {
        this(batch, Registry.checkName(name));
        Registry.add(name, "PerCpuBoundedCounter", this);
    }

    private PerCpuBoundedCounter(int batch, String owner) {
        if (batch < 1 || batch > LARGEST_BATCH) {
            throw new IllegalArgumentException("the batch must be from 1 to " + LARGEST_BATCH + ", not " + batch);
        }
        super(owner, BYTES, BYTES);
        this.batch = batch;
    }

    /** How much a CPU adds or subtracts by itself. */
    public int batch() {
        return batch;
    }

    /**
     * Adds the given value, whatever limits there are; a negative one subtracts.
     *
     * @throws ArithmeticException if the counter would leave its range
     */
    public void add(long x) {
        try {
            if (!CREDITS.add(position(), -x, mostCredit(), Gate.SHUT - 1)) {
                addCentrally(x);
            }
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Subtracts the given value.
     *
     * @throws ArithmeticException if the counter would leave its range
     */
    public void sub(long x) {
        add(-x);
    }

    /**
     * Adds the amount if the value is at most the limit after it; otherwise it does nothing.
     *
     * @return whether it was added
     * @throws IllegalArgumentException if the amount is negative
     */
    public boolean tryAdd(long amount, long limit) {
        if (amount < 0) {
            throw new IllegalArgumentException("an amount of " + amount + " is negative: use sub to subtract");
        }
        try {
            return CREDITS.add(position(), -amount, mostCredit(), Math.min(limit, Gate.SHUT - 1))
                    || tryAddCentrally(amount, Math.min(limit, LARGEST_VALUE));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The value, to within {@link #errorBound()}, at the cost of one look at a shared number. */
    public long estimate() {
        try {
            long reserved = gate();
            return reserved == Gate.SHUT ? sum() : reserved - errorBound();
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * How far an {@link #estimate()} can be from the value: the batch times the number of possible CPUs and one more. It
     * is from what the value was at a moment during the call; updates go on.
     */
    public long errorBound() {
        // A credit is up to two batches. The one more is for the batch on its way from G to a credit: see reserve.
        return batch * (Area.CPUS + 1L);
    }

    /**
     * The value. It is exact if nobody updates; otherwise it holds every update that happened before the call, and some
     * of those that happen during it. It reads a line for each CPU, and keeps no update waiting but those that need the
     * shared count.
     */
    public long sum() {
        long value = settled.get();
        return value != OPEN ? value : lockedSum();
    }

    private synchronized long lockedSum() {
        long value = settled.get();
        if (value != OPEN) {
            return value;
        }
        try {
            return gate() - CREDITS.sum(position());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Compares the value with another one: negative if it is below, 0 if they are equal, positive if it is above. The sum
     * is taken only if the estimate cannot decide.
     */
    public int compareValueTo(long other) {
        // Within its range, so nothing overflows.
        long estimate = estimate();
        if (estimate - errorBound() > other) {
            return 1;
        }
        if (estimate + errorBound() < other) {
            return -1;
        }
        return Long.compare(sum(), other);
    }

    private void addCentrally(long x) {
        while (true) {
            long value = settled.get();
            if (value == OPEN) {
                if (addReserving(x)) {
                    return;
                }
            } else if (settled.compareAndSet(value, checked(value, x))) {
                openIfFar(value + x);
                return;
            }
        }
    }

    private boolean tryAddCentrally(long amount, long limit) {
        long most = limit - amount;
        if (most > limit) {
            // An underflow, so no value is as small as that.
            return false;
        }
        while (true) {
            long value = settled.get();
            if (value == OPEN) {
                long reserved = gate();
                if (reserved != Gate.SHUT && reserved - 2 * errorBound() > most) {
                    // Even if all credits were full.
                    return false;
                }
                if (reserveOrShut(amount, most)) {
                    return true;
                }
            } else if (value > most) {
                openIfFar(value);
                return false;
            } else if (settled.compareAndSet(value, checked(value, amount))) {
                openIfFar(value + amount);
                return true;
            }
        }
    }

    /** Returns false if the gate is shut. */
    private synchronized boolean addReserving(long x) {
        if (settled.get() != OPEN) {
            return false;
        }
        if (x >= 0) {
            reserve(x);
        } else {
            // Before anything is taken, as it may throw.
            long needed = checked(gate(), x);
            long less = checked(needed, -batch);
            boolean taken = CREDITS.add(position(), -batch, mostCredit(), Gate.SHUT - 1);
            setGate(taken ? less : needed);
        }
        return true;
    }

    /** Adds if there is room even for G and a batch; otherwise it returns false, and the gate is shut. */
    private synchronized boolean reserveOrShut(long amount, long most) {
        if (settled.get() != OPEN) {
            return false;
        }
        long reserved = gate();
        if (reserved + batch <= most) {
            reserve(amount);
            return true;
        }
        long credits = CREDITS.take(position());
        nearby = most;
        settled.set(reserved - credits);
        return false;
    }

    /** Raises G by the amount and a batch for the current CPU's credit. The lock is held. */
    private void reserve(long amount) {
        long needed = checked(gate(), amount);
        // First G, then the credit: what is in a credit is in G. In between, who looks at G sees a batch that is in no
        // credit; there is one at most, as the lock is held, and errorBound() has room for it.
        setGate(checked(needed, batch));
        if (!CREDITS.add(position(), batch, mostCredit(), Gate.SHUT - 1)) {
            // Others have filled it meanwhile, or this thread has no CPU id.
            setGate(needed);
        }
    }

    /** Opens the gate if it is shut and the value is far from what it was shut for. */
    private void openIfFar(long value) {
        if (isFar(value)) {
            open();
        }
    }

    private synchronized void open() {
        long value = settled.get();
        if (value != OPEN && isFar(value)) {
            // In this order: who sees neither waits for the lock.
            setGate(settled.getAndSet(OPEN));
        }
    }

    private boolean isFar(long value) {
        // Not the distance, which does not fit from one end of the range to the other.
        long far = 4 * errorBound();
        return value > nearby + far || value < nearby - far;
    }

    private static long checked(long value, long x) {
        long sum = value + x;
        boolean overflows = ((value ^ sum) & (x ^ sum)) < 0;
        // Credits can take the value a little out of the range, and it must find the way back.
        boolean leaves = x > 0 ? sum > LARGEST_VALUE : x < 0 && sum < -LARGEST_VALUE;
        if (overflows || leaves) {
            throw new ArithmeticException(
                    "the counter is near " + value + ", and with " + x + " it would be beyond 2^62 or -2^62");
        }
        return sum;
    }

    private long mostCredit() {
        return 2L * batch;
    }

    private long gate() {
        return Gate.get(position());
    }

    private void setGate(long value) {
        Gate.set(position(), value);
    }

    /** The {@link #sum()}. */
    @Override
    public long longValue() {
        return sum();
    }

    @Serial
    private Object writeReplace() {
        return new Serialized(sum(), batch);
    }

    /** What goes into a stream. */
    private record Serialized(long sum, int batch) implements Serializable {
        @Serial
        private Object readResolve() {
            PerCpuBoundedCounter counter = new PerCpuBoundedCounter(batch);
            counter.add(sum);
            return counter;
        }
    }
}

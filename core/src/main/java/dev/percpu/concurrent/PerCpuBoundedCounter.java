package dev.percpu.concurrent;

import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.listing.Values;
import dev.percpu.internal.protocol.Credits;
import dev.percpu.listing.Value;
import dev.percpu.memory.AreaFullException;
import java.io.InvalidObjectException;
import java.io.Serial;
import java.io.Serializable;
import java.lang.ref.Reference;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A counter with a cheap estimate, whose error is bounded, and with additions that never take it above a limit. Use it
 * for quotas, rate limits, and counts that are often compared with a threshold.
 *
 * <pre>{@code
 * PerCpuBoundedCounter inUse = new PerCpuBoundedCounter();
 *
 * if (inUse.tryAdd(size, quota)) {
 *     try { ... } finally { inUse.sub(size); }
 * }
 * }</pre>
 *
 * <p>Each CPU has a credit of up to twice the batch. An addition takes from the credit of its CPU, and a subtraction
 * puts into it, by one restartable sequence. An operation touches the shared count only if the credit is used up or
 * full. With amounts of 1 and a batch of 32, that is about one operation in 32. An amount above twice the batch always
 * touches the shared count, and one above the batch often does, so amounts should be well below the batch. A counter
 * takes 64 bytes for each CPU. It gives them back once it is unreachable.
 *
 * <p><b>Limits.</b> {@link #tryAdd} succeeds only if the value after the addition is at most the limit. It fails only
 * if there was a moment during the call when that value would have been above the limit. No credit stays unused on
 * another CPU, so a quota of 1000 allows exactly 1000 additions of 1. Different calls may have different limits.
 *
 * <p>Near a limit, the counter collects the credits of all CPUs, by a system call that interrupts them for a moment.
 * Then it works as one atomic number until the value is far from the limit again. Far is more than four times the
 * batch, or four times the amount if that is larger, times the number of usable CPUs and one more. If the limit itself
 * is not larger than that, no value from 0 to the limit is far: once near the limit, the counter stays one atomic
 * number, and an {@link AtomicLong} would do as well. {@link #trySub} does the same for a lower limit, but never uses
 * credit.
 *
 * <p><b>Ordering.</b> Operations are opaque and order nothing else. Estimates and sums are opaque, too.
 *
 * <p><b>Range.</b> Additions that would take the value beyond 2^62 or -2^62 throw {@link ArithmeticException}. Where
 * exactly that begins depends on the credits: at most twice the {@link #errorBound()} before or after these values.
 * Additions that lead back into the range always work. A counter serializes as its sum and batch.
 *
 * <p>It is the kernel's {@code percpu_counter}: {@code percpu_counter_read} is here {@link #estimate()}, {@code _sum}
 * is {@link #sum()}, {@code _compare} is {@link #compareValueTo}, and {@code _limited_add} is {@link #tryAdd}.
 */
public final class PerCpuBoundedCounter extends CreditedNumber {
    @Serial
    private static final long serialVersionUID = 1;

    /** The kernel's batch on machines with up to 16 CPUs. */
    public static final int DEFAULT_BATCH = 32;

    private static final int LARGEST_BATCH = 1 << 30;

    /**
     * Creates a counter that is 0, with the {@link #DEFAULT_BATCH}.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuBoundedCounter() {
        this(DEFAULT_BATCH);
    }

    /**
     * Creates a counter that is 0.
     *
     * @param batch how much a CPU may add or subtract by itself: a larger one is faster, but estimates are less exact
     * @throws IllegalArgumentException if the batch is not from 1 to 2^30
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuBoundedCounter(int batch) {
        this(new Label("a PerCpuBoundedCounter"), batch);
    }

    /**
     * Creates a counter that is 0 and has a name, with the {@link #DEFAULT_BATCH}.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuBoundedCounter(String name) {
        this(name, DEFAULT_BATCH);
    }

    /**
     * Creates a counter that is 0 and has a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param batch how much a CPU may add or subtract by itself: a larger one is faster, but estimates are less exact
     * @throws IllegalArgumentException if the batch is not from 1 to 2^30
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuBoundedCounter(String name, int batch) {
        this(Label.named(name), batch);
        Registry.add(name, "PerCpuBoundedCounter", this, PerCpuBoundedCounter::values);
    }

    private PerCpuBoundedCounter(Label label, int batch) {
        if (batch < 1 || batch > LARGEST_BATCH) {
            throw new IllegalArgumentException(
                    label.text() + ": the batch must be from 1 to " + LARGEST_BATCH + ", not " + batch);
        }
        super(label.text(), batch);
    }

    /** How much a CPU adds or subtracts by itself. */
    public int batch() {
        return batch;
    }

    /**
     * Adds the given value, which may be negative, without regard to any limit.
     *
     * @throws ArithmeticException if the counter would leave its range
     */
    public void add(long x) {
        try {
            if (!addByCredit(x, Credits.UNLIMITED)) {
                addCentrally(x);
            }
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Adds 1, without regard to any limit.
     *
     * @throws ArithmeticException if the counter would leave its range
     */
    public void increment() {
        add(1);
    }

    /**
     * Subtracts 1.
     *
     * @throws ArithmeticException if the counter would leave its range
     */
    public void decrement() {
        add(-1);
    }

    /**
     * Subtracts the given value.
     *
     * @throws ArithmeticException if the counter would leave its range
     */
    public void sub(long x) {
        if (x == Long.MIN_VALUE) {
            // It has no negative.
            throw new ArithmeticException(label() + ": subtracting " + x + " exceeds 2^62, whatever the value");
        }
        add(-x);
    }

    /**
     * Adds the amount if the value is then at most the limit; otherwise it does nothing. A limit above the range
     * counts as its end.
     *
     * @return whether it was added
     * @throws IllegalArgumentException if the amount is negative
     */
    public boolean tryAdd(long amount, long limit) {
        if (amount < 0) {
            throw new IllegalArgumentException(label() + ": the amount of tryAdd must be at least 0, not " + amount
                    + ". To subtract, use sub or trySub");
        }
        try {
            return addByCredit(amount, Math.min(limit, Credits.UNLIMITED))
                    || tryAddCentrally(amount, Math.min(limit, SettledCount.LARGEST_VALUE));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Subtracts the amount if the value is then at least the limit; otherwise it does nothing. It fails only if there
     * was a moment during the call when the value would have been below the limit. A limit below the range counts as
     * its end.
     *
     * <p>This always touches the shared count, unlike {@link #tryAdd}: a CPU knows that the value is not above a limit
     * without asking the others, but not that it is not below one.
     *
     * @return whether it was subtracted
     * @throws IllegalArgumentException if the amount is negative
     */
    public boolean trySub(long amount, long limit) {
        if (amount < 0) {
            throw new IllegalArgumentException(label() + ": the amount of trySub must be at least 0, not " + amount
                    + ". To add, use add or tryAdd");
        }
        try {
            return trySubCentrally(amount, Math.max(limit, -SettledCount.LARGEST_VALUE));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The value, with an error of at most {@link #errorBound()}; it costs one read of a shared number. */
    public long estimate() {
        try {
            long reserved = handedOut();
            return reserved == Credits.TAKEN ? sum() : reserved - errorBound();
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * How far an {@link #estimate()} can be from the value: the batch times ({@code CpuMask.capacity()} + 1).
     * The estimate is compared with the value at some moment during the call, as updates go on.
     *
     * <p>All ids that a CPU can have here count, not only those of CPUs that this process may use. Somebody else can
     * widen an affinity or a cpuset at any time, and then a CPU that had not been counted would have a credit.
     */
    public long errorBound() {
        return mostError();
    }

    /**
     * The value. It is exact if there are no updates meanwhile. Otherwise it includes every update that happened before
     * the call, and some of those that happen during it. The call reads a cache line for each CPU. Only updates that
     * need the shared count wait for it.
     */
    public long sum() {
        return exactSum();
    }

    private List<Value> values() {
        return List.of(Values.sum("value", sum()), Values.of("batch", batch()), Values.of("errorBound", errorBound()));
    }

    /**
     * Compares the value with another one: negative if it is below, 0 if they are equal, positive if it is above. The
     * sum is taken only if the estimate cannot decide.
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

    /** The {@link #sum()}. */
    @Override
    public long longValue() {
        return sum();
    }

    @Serial
    private Object writeReplace() {
        return new Serialized(sum(), batch());
    }

    /** What goes into a stream. */
    private record Serialized(long sum, int batch) implements Serializable {
        /** Credits can take the sum out of the range, but not as far as this. */
        private static final long MOST_SERIALIZED = SettledCount.LARGEST_VALUE + (SettledCount.LARGEST_VALUE >> 1);

        @Serial
        private Object readResolve() throws InvalidObjectException {
            if (sum < -MOST_SERIALIZED || sum > MOST_SERIALIZED) {
                throw new InvalidObjectException(
                        "a PerCpuBoundedCounter cannot be " + sum + ": its range ends near 2^62");
            }
            PerCpuBoundedCounter counter = new PerCpuBoundedCounter(batch);
            counter.begin(sum);
            return counter;
        }
    }
}

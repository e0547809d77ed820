package dev.percpu.concurrent;

import dev.percpu.cpu.CpuMask;
import java.io.Serial;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A bounded counter's value while its credits are collected, and how far that value has to be from the limit that they
 * were collected for until it pays to hand credits out again.
 */
final class SettledCount extends AtomicLong {
    @Serial
    private static final long serialVersionUID = 1;

    /** What it is while credits are out, so that the value is not known here. */
    static final long OPEN = Long.MIN_VALUE;

    static final long LARGEST_VALUE = 1L << 62;

    /**
     * The CPUs that the process could use at first. Should it be let onto more, credits are collected more often than
     * they need be, which is only slower.
     */
    private static final int USABLE_CPUS = CpuMask.usable().weight();

    private final int batch;

    /** The value next to the limit for which the credits were collected last. */
    private volatile long nearby;

    /** How far is far from there. A double, since the range is wider than a long can say. */
    private volatile double far;

    SettledCount(int batch) {
        super(OPEN);
        this.batch = batch;
    }

    /**
     * Says what the value will be far from.
     *
     * @param limit the value on which the operation that did not fit would just have fitted
     * @param amount what it would have added or subtracted
     */
    void near(long limit, long amount) {
        nearby = limit;
        // Twice as many units as all CPUs keep. Amounts above the batch use no credit, and cross a short distance in
        // one
        // step: an addition and a subtraction would collect the credits and hand them out again in turn, each time with
        // an interrupt of all CPUs.
        far = 4.0 * Math.max(batch, amount) * (USABLE_CPUS + 1);
    }

    /** Whether the value is far from the limit for which the credits were collected. */
    boolean isFar(long value) {
        return Math.abs((double) value - nearby) > far;
    }

    /**
     * Adds.
     *
     * @throws ArithmeticException if the sum is out of range, and further than the value
     */
    static long checked(long value, long x) {
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
}

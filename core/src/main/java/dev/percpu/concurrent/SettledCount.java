package dev.percpu.concurrent;

import dev.percpu.cpu.CpuMask;
import java.io.Serial;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The value of a bounded counter while its credits are collected. It also knows how far the value must be from the
 * limit for which they were collected before it pays to give credits to the CPUs again.
 */
final class SettledCount extends AtomicLong {
    @Serial
    private static final long serialVersionUID = 1;

    /** Stands for a value that is not known here, as CPUs have credits. */
    static final long OPEN = Long.MIN_VALUE;

    static final long LARGEST_VALUE = 1L << 62;

    /**
     * The CPUs that the process could use at first. If it may use more later, credits are collected more often than
     * necessary, which is only slower.
     */
    private static final int USABLE_CPUS = CpuMask.usable().weight();

    /** The counter that it belongs to, for messages. */
    private final String label;

    private final int batch;

    /** The value next to the limit for which the credits were collected last. */
    private volatile long nearby;

    /** The distance from there that counts as far. A double, since a long could overflow. */
    private volatile double far;

    SettledCount(String label, int batch) {
        super(OPEN);
        this.label = label;
        this.batch = batch;
    }

    /**
     * Sets the limit that the value has to be far from.
     *
     * @param limit the value at which the refused operation would just have succeeded
     * @param amount what it would have added or subtracted
     */
    void near(long limit, long amount) {
        nearby = limit;
        // Twice as many units as all CPUs keep. An amount above twice the batch uses no credit, and crosses a short
        // distance in one step: an addition would collect the credits, a subtraction would hand them out again, and so
        // on, each time with an interrupt of all CPUs.
        far = 4.0 * Math.max(batch, amount) * (USABLE_CPUS + 1);
    }

    /** Whether the value is far from the limit for which the credits were collected. */
    boolean isFar(long value) {
        return Math.abs((double) value - nearby) > far;
    }

    /** The name of the counter, for messages. */
    String label() {
        return label;
    }

    /**
     * Adds.
     *
     * @throws ArithmeticException if the sum is out of range, and further out than the value
     */
    long checked(long value, long x) {
        return checked(value, x, 0);
    }

    /**
     * Adds, with room for more.
     *
     * @param more what else has to be in the range; a caller's message is about {@code x} alone
     * @return the sum of {@code value} and {@code x}
     * @throws ArithmeticException if a sum is out of range, and further out than what was added to
     */
    long checked(long value, long x, long more) {
        long sum = value + x;
        if (leaves(value, x, sum) || leaves(sum, more, sum + more)) {
            throw new ArithmeticException(
                    label + ": adding " + x + " to a value near " + value + " would exceed 2^62 or fall below -2^62");
        }
        return sum;
    }

    private static boolean leaves(long value, long x, long sum) {
        boolean overflows = ((value ^ sum) & (x ^ sum)) < 0;
        // Credits can take the value a little out of the range, and it must find the way back.
        return overflows || (x > 0 ? sum > LARGEST_VALUE : x < 0 && sum < -LARGEST_VALUE);
    }
}

package dev.percpu.micrometer;

import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import java.time.Duration;
import java.util.Objects;

/**
 * The greatest number of late, 0 if there was none: what Micrometer's {@code TimeWindowMax} says, without its clock and
 * its ring at each number.
 *
 * <p>Time is cut into steps. For each of the last few there is the greatest number since it began. The newest is the
 * least of them, so a number that does not exceed that one changes nothing: that is one look at a field that is hardly
 * ever written. With numbers in no particular order, the n-th number exceeds those before it with a probability of 1/n.
 *
 * <p>Somebody has to call {@link #advance()} after each step, as a number alone does not tell that a step is over. What
 * comes between the end of a step and that call belongs to the step. If steps are short, that would be most of the
 * numbers. So then each number looks at the clock.
 */
final class WindowMaximum {
    /** Of shorter steps, too much would pass between two calls of {@link #advance()}. */
    private static final Duration SHORT = MaximumAdvancer.INTERVAL.multipliedBy(5);

    private final Clock clock;

    @SuppressWarnings("UnusedVariable") // keeps it reachable: a garbage collection must not end the calls of advance()
    private final Object advancer;

    private final long stepMillis;
    private final boolean isShort;
    private final long[] maxima;

    /** The step of which there is the oldest maximum, the one that is reported. */
    private int oldest;

    /** Written under the monitor. */
    private volatile long stepBegan;

    /** The maximum of the newest step. Written under the monitor. */
    private volatile long newest;

    /** @param advancer whoever calls {@link #advance()}; it is reachable as long as this is */
    WindowMaximum(Clock clock, Duration step, int steps, Object advancer) {
        this.clock = clock;
        this.advancer = advancer;
        stepMillis = step.toMillis();
        isShort = step.compareTo(SHORT) < 0;
        maxima = new long[steps];
        stepBegan = clock.wallTime();
        if (stepMillis <= 0) {
            throw new IllegalArgumentException(
                    "a maximum over steps of " + step + ": a step must be at least 1 ms long");
        }
    }

    /** With the expiry and the length of the buffer that were asked for, or those that Micrometer has else. */
    static WindowMaximum of(Clock clock, DistributionStatisticConfig config, Object advancer) {
        DistributionStatisticConfig merged = config.merge(DistributionStatisticConfig.builder()
                .expiry(PerCpuMeterRegistry.STEP)
                .build()
                .merge(DistributionStatisticConfig.DEFAULT));
        return new WindowMaximum(
                clock,
                Objects.requireNonNull(merged.getExpiry(), "expiry"),
                Objects.requireNonNull(merged.getBufferLength(), "length of the buffer"),
                advancer);
    }

    void record(long number) {
        if (number > newest || (isShort && stepsOver() > 0)) {
            raise(number);
        }
    }

    private long stepsOver() {
        return (clock.wallTime() - stepBegan) / stepMillis;
    }

    private synchronized void raise(long number) {
        advance();
        for (int i = 0; i < maxima.length; i++) {
            maxima[i] = Math.max(maxima[i], number);
        }
        newest = Math.max(newest, number);
    }

    /** The greatest number since the beginning of the oldest step. */
    synchronized long poll() {
        advance();
        return maxima[oldest];
    }

    /** Ends the steps that are over. */
    synchronized void advance() {
        long over = stepsOver();
        if (over <= 0) {
            return;
        }
        for (int i = 0; i < Math.min(over, maxima.length); i++) {
            maxima[oldest] = 0;
            oldest = (oldest + 1) % maxima.length;
        }
        stepBegan += over * stepMillis;
        newest = 0;
    }
}

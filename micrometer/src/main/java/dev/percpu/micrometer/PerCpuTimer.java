package dev.percpu.micrometer;

import dev.percpu.concurrent.PerCpuCounter;
import io.micrometer.core.instrument.AbstractTimer;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.distribution.NoopHistogram;
import io.micrometer.core.instrument.distribution.pause.PauseDetector;
import io.micrometer.core.instrument.util.TimeUtils;
import java.util.concurrent.TimeUnit;

/** A timer without a histogram: a recording is two additions and a look at the maximum. */
final class PerCpuTimer extends AbstractTimer implements HasMaximum {
    private final PerCpuCounter count;
    private final PerCpuCounter nanos;
    private final WindowMaximum maximum;

    PerCpuTimer(Id id, Clock clock, PauseDetector pauseDetector, TimeUnit baseTimeUnit, WindowMaximum maximum) {
        // Before Micrometer's part, which hands this timer to the thread of the pause detector. That thread would find
        // nothing to record in, and if the area is full, it would keep such a timer for good.
        count = new PerCpuCounter();
        nanos = new PerCpuCounter();
        this.maximum = maximum;
        super(id, clock, pauseDetector, baseTimeUnit, NoopHistogram.INSTANCE);
    }

    @Override
    protected void recordNonNegative(long amount, TimeUnit unit) {
        long inNanos = unit.toNanos(amount);
        count.increment();
        nanos.add(inNanos);
        maximum.record(inNanos);
    }

    @Override
    public long count() {
        return count.sum();
    }

    @Override
    public double totalTime(TimeUnit unit) {
        return TimeUtils.nanosToUnit((double) nanos.sum(), unit);
    }

    @Override
    public double max(TimeUnit unit) {
        return TimeUtils.nanosToUnit((double) maximum.poll(), unit);
    }

    @Override
    public WindowMaximum maximum() {
        return maximum;
    }
}

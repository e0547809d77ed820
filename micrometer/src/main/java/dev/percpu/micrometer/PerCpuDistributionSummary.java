package dev.percpu.micrometer;

import static java.lang.Double.doubleToLongBits;
import static java.lang.Double.longBitsToDouble;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import io.micrometer.core.instrument.AbstractDistributionSummary;
import io.micrometer.core.instrument.Measurement;
import io.micrometer.core.instrument.Statistic;
import io.micrometer.core.instrument.distribution.NoopHistogram;
import java.util.List;

/** A distribution summary without a histogram: a recording is two additions and a look at the maximum. */
final class PerCpuDistributionSummary extends AbstractDistributionSummary implements HasMaximum {
    private final PerCpuCounter count = new PerCpuCounter();
    private final PerCpuDoubleCounter total = new PerCpuDoubleCounter();
    /** Of the bits, as those of doubles that are not negative are in the order of the doubles. */
    private final WindowMaximum maximum;

    PerCpuDistributionSummary(Id id, double scale, WindowMaximum maximum) {
        super(id, scale, NoopHistogram.INSTANCE);
        this.maximum = maximum;
    }

    @Override
    protected void recordNonNegative(double amount) {
        count.increment();
        total.add(amount);
        // Not the raw bits: an infinite amount by a scale of 0 is NaN, and on x86-64 that has the sign bit set. As with
        // Micrometer's own summaries, NaN is above all others.
        maximum.record(doubleToLongBits(amount));
    }

    @Override
    public long count() {
        return count.sum();
    }

    @Override
    public double totalAmount() {
        return total.sum();
    }

    @Override
    public double max() {
        return longBitsToDouble(maximum.poll());
    }

    /** With the maximum, as in Micrometer's own summaries, whose interface leaves it out. */
    @Override
    public Iterable<Measurement> measure() {
        return List.of(
                new Measurement(() -> (double) count(), Statistic.COUNT),
                new Measurement(this::totalAmount, Statistic.TOTAL),
                new Measurement(this::max, Statistic.MAX));
    }

    @Override
    public WindowMaximum maximum() {
        return maximum;
    }
}

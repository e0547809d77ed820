package dev.percpu.micrometer;

import io.micrometer.core.instrument.AbstractDistributionSummary;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Measurement;
import io.micrometer.core.instrument.distribution.HistogramSnapshot;
import io.micrometer.core.instrument.distribution.NoopHistogram;

/** The exporter's own distribution summary, with this registry's id, and its scale without the sign. */
final class ForwardingDistributionSummary extends AbstractDistributionSummary {
    private final DistributionSummary exported;

    ForwardingDistributionSummary(Id id, double scale, DistributionSummary exported) {
        super(id, scale, NoopHistogram.INSTANCE);
        this.exported = exported;
    }

    @Override
    protected void recordNonNegative(double amount) {
        exported.record(amount);
    }

    @Override
    public long count() {
        return exported.count();
    }

    @Override
    public double totalAmount() {
        return exported.totalAmount();
    }

    @Override
    public double max() {
        return exported.max();
    }

    @Override
    public Iterable<Measurement> measure() {
        return exported.measure();
    }

    @Override
    public HistogramSnapshot takeSnapshot() {
        return exported.takeSnapshot();
    }
}

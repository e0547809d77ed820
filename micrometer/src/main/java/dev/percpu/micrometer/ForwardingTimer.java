package dev.percpu.micrometer;

import io.micrometer.core.instrument.AbstractTimer;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.distribution.HistogramSnapshot;
import io.micrometer.core.instrument.distribution.NoopHistogram;
import io.micrometer.core.instrument.distribution.pause.NoPauseDetector;
import java.util.concurrent.TimeUnit;

/** The exporter's own timer, with this registry's id. */
final class ForwardingTimer extends AbstractTimer {
    private final Timer exported;

    ForwardingTimer(Id id, Clock clock, TimeUnit baseTimeUnit, Timer exported) {
        // The exporter's timer has the pause detector.
        super(id, clock, NoPauseDetector.INSTANCE, baseTimeUnit, NoopHistogram.INSTANCE);
        this.exported = exported;
    }

    @Override
    protected void recordNonNegative(long amount, TimeUnit unit) {
        exported.record(amount, unit);
    }

    @Override
    public long count() {
        return exported.count();
    }

    @Override
    public double totalTime(TimeUnit unit) {
        return exported.totalTime(unit);
    }

    @Override
    public double max(TimeUnit unit) {
        return exported.max(unit);
    }

    @Override
    public HistogramSnapshot takeSnapshot() {
        return exported.takeSnapshot();
    }
}

package dev.percpu.micrometer;

import io.micrometer.core.instrument.AbstractMeter;
import io.micrometer.core.instrument.LongTaskTimer;
import io.micrometer.core.instrument.distribution.HistogramSnapshot;
import java.util.concurrent.TimeUnit;

/** The exporter's own long task timer, with this registry's id. */
final class ForwardingLongTaskTimer extends AbstractMeter implements LongTaskTimer {
    private final TimeUnit baseTimeUnit;
    private final LongTaskTimer exported;

    ForwardingLongTaskTimer(Id id, TimeUnit baseTimeUnit, LongTaskTimer exported) {
        super(id);
        this.baseTimeUnit = baseTimeUnit;
        this.exported = exported;
    }

    @Override
    public Sample start() {
        return exported.start();
    }

    @Override
    public double duration(TimeUnit unit) {
        return exported.duration(unit);
    }

    @Override
    public int activeTasks() {
        return exported.activeTasks();
    }

    @Override
    public double max(TimeUnit unit) {
        return exported.max(unit);
    }

    @Override
    public TimeUnit baseTimeUnit() {
        return baseTimeUnit;
    }

    @Override
    public HistogramSnapshot takeSnapshot() {
        return exported.takeSnapshot();
    }
}

package dev.percpu.micrometer;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MockClock;
import io.micrometer.core.instrument.simple.SimpleConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.core.tck.MeterRegistryCompatibilityKit;
import java.time.Duration;

/** What Micrometer asks of every registry, of this one before the registry that it has if it is given none. */
class SimpleExporterCompatibilityTest extends MeterRegistryCompatibilityKit {
    @Override
    public MeterRegistry registry() {
        return new PerCpuMeterRegistry(new SimpleMeterRegistry(SimpleConfig.DEFAULT, new MockClock()));
    }

    @Override
    public Duration step() {
        return SimpleConfig.DEFAULT.step();
    }
}

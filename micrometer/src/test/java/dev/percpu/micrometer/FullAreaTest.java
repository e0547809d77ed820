package dev.percpu.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.memory.AreaFullException;
import dev.percpu.testing.FilledArea;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;

/** Meters for which there is no room. */
class FullAreaTest {
    private final SimpleMeterRegistry exporter = new SimpleMeterRegistry();
    private final MeterRegistry registry = new PerCpuMeterRegistry(exporter);

    /** Micrometer would hand the timer to the detector's thread. */
    @Test
    void aTimerForWhichThereIsNoRoomIsNotLeftToAPauseDetectorNorToTheExporter() {
        CountingDetector detector = new CountingDetector();
        try (FilledArea _ = new FilledArea(PerCpuCounterArray::new, AreaFullException.class)) {
            assertThatThrownBy(
                            () -> Timer.builder("timer").pauseDetector(detector).register(registry))
                    .isInstanceOf(AreaFullException.class);
            assertThatThrownBy(() -> registry.counter("counter")).isInstanceOf(AreaFullException.class);
            assertThatThrownBy(() -> registry.summary("summary")).isInstanceOf(AreaFullException.class);
        }
        assertThat(detector.lookedUp()).isZero();
        assertThat(registry.getMeters()).isEmpty();
        assertThat(exporter.getMeters()).isEmpty();
        Timer.builder("timer").pauseDetector(detector).register(registry);
        assertThat(detector.lookedUp()).isPositive();
    }
}

package dev.percpu.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.memory.AreaFullException;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.distribution.pause.PauseDetector;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Meters for which there is no room. */
class FullAreaTest {
    private final SimpleMeterRegistry exporter = new SimpleMeterRegistry();
    private final MeterRegistry registry = new PerCpuMeterRegistry(exporter);

    /** As long as what is returned is reachable, there is no room for another variable. */
    private static List<PerCpuCounterArray> fillTheArea() {
        List<PerCpuCounterArray> all = new ArrayList<>();
        for (int length = 1 << 26; length > 0; length /= 2) {
            try {
                while (true) {
                    all.add(new PerCpuCounterArray(length));
                }
            } catch (AreaFullException e) {
                // A shorter one may find room.
            }
        }
        return all;
    }

    /** Has the garbage collector find what fills the area, which must not be reachable any more. */
    private static void makeRoom() {
        for (int times = 0; times < 1000; times++) {
            System.gc();
            try {
                PerCpuCounterArray _ = new PerCpuCounterArray(1 << 20);
                return;
            } catch (AreaFullException e) {
                // Not yet.
            }
        }
        throw new AssertionError("the area is still full");
    }

    /** Micrometer looks the detector up, in a map, and hands the timer to its thread. */
    @Test
    void aTimerForWhichThereIsNoRoomIsNotLeftToAPauseDetectorNorToTheExporter() {
        AtomicInteger lookedUp = new AtomicInteger();
        PauseDetector detector = new PauseDetector() {
            @Override
            public int hashCode() {
                return lookedUp.incrementAndGet();
            }

            @Override
            public boolean equals(Object other) {
                return this == other;
            }
        };
        List<PerCpuCounterArray> filling = fillTheArea();
        try {
            assertThatThrownBy(
                            () -> Timer.builder("timer").pauseDetector(detector).register(registry))
                    .isInstanceOf(AreaFullException.class);
            assertThatThrownBy(() -> registry.counter("counter")).isInstanceOf(AreaFullException.class);
            assertThatThrownBy(() -> registry.summary("summary")).isInstanceOf(AreaFullException.class);
        } finally {
            filling.clear();
            makeRoom();
        }
        assertThat(lookedUp).hasValue(0);
        assertThat(registry.getMeters()).isEmpty();
        assertThat(exporter.getMeters()).isEmpty();
        Timer.builder("timer").pauseDetector(detector).register(registry);
        assertThat(lookedUp).hasPositiveValue();
    }
}

package dev.percpu.stress.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RunningTimeTest {
    @Test
    void aStopOfTheProcessHardlyCounts() {
        AtomicLong clock = new AtomicLong(-5);
        RunningTime time = new RunningTime(clock::get);
        clock.addAndGet(7);
        assertThat(time.nanos()).isEqualTo(7);
        clock.addAndGet(TimeUnit.MINUTES.toNanos(4));
        assertThat(time.nanos()).isEqualTo(7 + TimeUnit.SECONDS.toNanos(1));
        clock.addAndGet(3);
        assertThat(time.nanos()).isEqualTo(10 + TimeUnit.SECONDS.toNanos(1));
    }
}

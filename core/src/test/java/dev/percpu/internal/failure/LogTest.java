package dev.percpu.internal.failure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.LogCapture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class LogTest {
    /** The JDK's loggers group the digits of a number, and {@code 1,024} is no id of a CPU. */
    @Test
    void anIdIsWrittenWithoutSeparators() {
        try (LogCapture log = new LogCapture()) {
            Log.warn("CPU {0} of {1}", 1024, 123_456_789L);
            // Another test may have left a report behind.
            assertThat(log.messages()).contains("WARNING: CPU 1024 of 123456789");
        }
    }
}

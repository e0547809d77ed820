package dev.percpu.cli.top;

import static dev.percpu.cli.top.Readings.reading;
import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.PerCpuRuntime;
import dev.percpu.management.PerCpuMXBean;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class TopJsonTest {
    private static final double INFINITY = Double.POSITIVE_INFINITY;

    private static Reading.Value real(double total, double part, double elsewhere) {
        return new Reading.Value(7, "sum", "PerCpuDoubleCounter", "value", true, total, List.of(0.5, part), elsewhere);
    }

    @Test
    void numbersThatJsonDoesNotHaveAreText() {
        List<PerCpuMXBean.Owner> owners = List.of(new PerCpuMXBean.Owner(3, "a thread"));
        List<String> failures = List.of("broken: ArithmeticException");
        Reading now = reading(
                2_000_000_000,
                owners,
                failures,
                real(Double.NaN, INFINITY, -INFINITY),
                new Reading.Value(8, "latencies", "PerCpuHistogram", "p50", false, 9L, List.of(), 0L));

        assertThat(TopJson.of(1, Instant.EPOCH, new Rates(reading(0, real(1, 0.5, 0)), now)))
                .isEqualTo(new TopJson(
                        1,
                        "1970-01-01T00:00:00Z",
                        2,
                        "rseq",
                        new PerCpuRuntime.Area(1 << 20, 1 << 30, 64),
                        new PerCpuRuntime.Places(3, 16),
                        owners,
                        List.of(
                                new TopJson.Value(
                                        "sum",
                                        7,
                                        "PerCpuDoubleCounter",
                                        "value",
                                        true,
                                        "NaN",
                                        "NaN",
                                        List.of(0.5, "Infinity"),
                                        List.of(0.0, "Infinity"),
                                        "-Infinity",
                                        "-Infinity"),
                                new TopJson.Value(
                                        "latencies",
                                        8,
                                        "PerCpuHistogram",
                                        "p50",
                                        false,
                                        9L,
                                        null,
                                        List.of(),
                                        List.of(),
                                        0L,
                                        null)),
                        failures));
    }
}

package dev.percpu.cli.top;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.management.PerCpuMXBean;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class RatesTest {
    private static final long SECOND = 1_000_000_000;

    private static Reading reading(long nanos, long... totals) {
        List<Reading.Value> values = LongStream.of(totals)
                .mapToObj(total ->
                        new Reading.Value("requests", "PerCpuCounter", "value", true, total, List.of(total, 0L), 0L))
                .toList();
        return new Reading(nanos, "rseq", new PerCpuMXBean.Area(1 << 20, 64), List.of(), values, List.of());
    }

    @Test
    void eachOfSeveralVariablesWithOneNameIsComparedWithItself() {
        Rates rates = new Rates(reading(0, 100, 5), reading(SECOND, 107, 6));
        assertThat(rates.rows()).extracting(Rates.Row::perSecond).containsExactly(7.0, 1.0);
        assertThat(rates.rows().getFirst().perCpuPerSecond()).containsExactly(7.0, 0.0);
        assertThat(rates.rows().getFirst().elsewherePerSecond()).isZero();
    }

    /** Which of them it was, nobody knows. */
    @Test
    void thereAreNoRatesIfOneOfThemIsGoneOrNew() {
        Rates gone = new Rates(reading(0, 5_000_000, 10), reading(SECOND, 10));
        assertThat(gone.rows()).extracting(Rates.Row::perSecond).containsOnlyNulls();
        Rates more = new Rates(reading(0, 10), reading(SECOND, 3, 10));
        assertThat(more.rows()).extracting(Rates.Row::perSecond).containsOnlyNulls();
    }
}

package dev.percpu.cli.top;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.management.PerCpuMXBean;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class RatesTest {
    private static final long SECOND = 1_000_000_000;

    private static Reading reading(long nanos, Reading.Value... values) {
        return new Reading(nanos, "rseq", new PerCpuMXBean.Area(1 << 20, 64), new PerCpuMXBean.Places(3, 16), List.of(), List.of(values), List.of());
    }

    /** A value of one of several variables with the same name. */
    private static Reading.Value requests(long serial, long total) {
        return new Reading.Value(serial, "requests", "PerCpuCounter", "value", true, total, List.of(total, 0L), 0L);
    }

    @Test
    void eachOfSeveralVariablesWithOneNameIsComparedWithItself() {
        Rates rates = new Rates(
                reading(0, requests(1, 100), requests(2, 5)), reading(SECOND, requests(1, 107), requests(2, 6)));
        assertThat(rates.rows()).extracting(Rates.Row::perSecond).containsExactly(7.0, 1.0);
        assertThat(rates.rows().getFirst().perCpuPerSecond()).containsExactly(7.0, 0.0);
        assertThat(rates.rows().getFirst().elsewherePerSecond()).isZero();
    }

    @Test
    void ifOneOfThemIsGoneTheOtherHasItsOwnRate() {
        Rates gone = new Rates(reading(0, requests(1, 5_000_000), requests(2, 10)), reading(SECOND, requests(2, 11)));
        assertThat(gone.rows()).extracting(Rates.Row::perSecond).containsExactly(1.0);
    }

    @Test
    void aVariableThatHasReplacedAnotherHasNoRateYet() {
        Rates replaced = new Rates(reading(0, requests(1, 5_000_000)), reading(SECOND, requests(2, 10)));
        assertThat(replaced.rows()).extracting(Rates.Row::perSecond).containsOnlyNulls();
        assertThat(replaced.rows().getFirst().perCpuPerSecond()).isEmpty();
    }

    /** To count down is as usual as to reset, and the two look the same. */
    @Test
    void whatWasTakenOutIsANegativeRate() {
        Rates down = new Rates(reading(0, requests(1, 10)), reading(SECOND, requests(1, 3)));
        assertThat(down.rows()).extracting(Rates.Row::perSecond).containsExactly(-7.0);
    }
}

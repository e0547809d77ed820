package dev.percpu.cli.top;

import static dev.percpu.cli.top.Readings.reading;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class RatesTest {
    private static final long SECOND = 1_000_000_000;

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

    @Test
    void whatLiesOnNoCpuHasARateToo() {
        Reading.Value before =
                new Reading.Value(1, "requests", "PerCpuCounter", "value", true, 10L, List.of(10L, 0L), 0L);
        Reading.Value now = new Reading.Value(1, "requests", "PerCpuCounter", "value", true, 20L, List.of(14L, 0L), 6L);
        Rates.Row row =
                new Rates(reading(0, before), reading(2 * SECOND, now)).rows().getFirst();
        assertThat(row.perSecond()).isEqualTo(5);
        assertThat(row.perCpuPerSecond()).containsExactly(2.0, 0.0);
        assertThat(row.elsewherePerSecond()).isEqualTo(3);
    }

    private static Reading.Value value(String name, boolean cumulative, Number total) {
        return new Reading.Value(1, "latencies", "PerCpuHistogram", name, cumulative, total, List.of(), 0L);
    }

    @Test
    void eachValueOfAVariableIsComparedWithItselfAndOneThatIsNoSumHasNoRate() {
        Rates rates = new Rates(
                reading(0, value("count", true, 10L), value("sum", true, 500L), value("p50", false, 50L)),
                reading(SECOND, value("count", true, 12L), value("sum", true, 620L), value("p50", false, 60L)));
        assertThat(rates.rows()).extracting(Rates.Row::perSecond).containsExactly(2.0, 120.0, null);
    }

    @Test
    void aSumOfWholeNumbersCanWrapAndOneOfRealNumbersHasItsFraction() {
        Rates wrapped = new Rates(
                reading(0, value("sum", true, Long.MAX_VALUE)),
                reading(SECOND, value("sum", true, Long.MIN_VALUE + 6)));
        assertThat(wrapped.rows()).extracting(Rates.Row::perSecond).containsExactly(7.0);
        Rates real = new Rates(reading(0, value("sum", true, 0.5)), reading(SECOND, value("sum", true, 0.75)));
        assertThat(real.rows()).extracting(Rates.Row::perSecond).containsExactly(0.25);
    }

    /** To count down is as usual as to reset, and the two look the same. */
    @Test
    void whatWasTakenOutIsANegativeRate() {
        Rates down = new Rates(reading(0, requests(1, 10)), reading(SECOND, requests(1, 3)));
        assertThat(down.rows()).extracting(Rates.Row::perSecond).containsExactly(-7.0);
    }
}

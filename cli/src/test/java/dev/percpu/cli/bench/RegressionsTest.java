package dev.percpu.cli.bench;

import static dev.percpu.cli.bench.Samples.entry;
import static dev.percpu.cli.bench.Samples.results;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class RegressionsTest {
    private final StringWriter text = new StringWriter();

    private static Results of(double... ours) {
        return results(entry("AddBenchmark.longAdder", 1, 9.9, 10.0, 10.1), entry("AddBenchmark.perCpuAdd", 1, ours));
    }

    private int worse(Results saved, Results measured) {
        PrintWriter out = new PrintWriter(text);
        int worse = new Regressions(saved, measured).print(out);
        out.flush();
        return worse;
    }

    @Test
    void aRatioThatTheMeasurementsCannotExplainIsWorse() {
        assertThat(worse(of(2.0), of(2.4, 2.6))).isEqualTo(1);
        assertThat(text.toString())
                .contains(
                        "AddBenchmark, perCpuAdd, 1 thread  5.00x  4.00x  worse",
                        "0 of 1 ratios agree with the saved ones");
    }

    @Test
    void ratiosAgreeIfTheyDifferBy15PercentAtMost() {
        assertThat(worse(of(2.0), of(2.29))).isZero();
        assertThat(worse(of(2.0), of(1.75))).isZero();
        assertThat(text.toString()).contains("5.00x  4.37x  agrees", "5.00x  5.71x  agrees", "1 of 1 ratios agree");
    }

    @Test
    void aRatioThatDiffersMoreIsMarkedEvenIfTheSpreadExplainsIt() {
        assertThat(worse(of(1.9, 2.0, 2.5), of(2.2, 2.4, 2.6))).isZero();
        assertThat(text.toString()).contains("differs, within the spread", "0 of 1 ratios agree");
    }

    @Test
    void aBetterOneIsToldToo() {
        assertThat(worse(of(3.0), of(2.0))).isZero();
        assertThat(text.toString()).contains("better");
    }

    @Test
    void whatIsTooWideProvesNothing() {
        assertThat(worse(of(2.0), of(3.0, 8.0))).isZero();
        assertThat(text.toString()).contains("unclear");
    }

    @Test
    void whatWasNeverSavedIsNoRegression() {
        assertThat(worse(results(entry("Sum.cupboard", 1, 1)), of(2.0))).isZero();
        assertThat(text.toString()).contains("not saved");
    }
}

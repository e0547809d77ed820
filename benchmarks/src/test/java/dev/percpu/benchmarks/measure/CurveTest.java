package dev.percpu.benchmarks.measure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;

class CurveTest {
    @Test
    void aSpreadHasTheMedianTheLeastAndTheGreatest() {
        assertThat(Spread.of(List.of(5.0, 1.0, 3.0))).isEqualTo(new Spread(3, 1, 5));
        assertThat(Spread.of(List.of(8.0, 1.0, 2.0, 4.0))).isEqualTo(new Spread(3, 1, 8));
    }

    /** The command that runs the benchmarks reads it. */
    @Test
    void aCurveIsALineWithTabs() {
        SequencedMap<String, Spread> values = new LinkedHashMap<>();
        values.put("1", new Spread(3, 1, 5));
        values.put("10,000 virtual", new Spread(12_344, 0.25, 1e6));

        assertThat(new Curve("Many threads", "ns", "threads", Role.Kind.OURS, "`PerCpuCounter`", values))
                .hasToString("Many threads\tns\tthreads\tOURS\t`PerCpuCounter`"
                        + "\t1=3.000,1.000,5.000\t10,000 virtual=1.234e+04,0.2500,1.000e+06");
    }
}

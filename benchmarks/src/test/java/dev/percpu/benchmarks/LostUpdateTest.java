package dev.percpu.benchmarks;

import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.THROWABLE;
import static org.assertj.core.api.InstanceOfAssertFactories.array;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

class LostUpdateTest {
    /** Other benchmarks may be running on this machine. */
    @BeforeAll
    static void doNotMindOthers() {
        System.setProperty("jmh.ignoreLock", "true");
    }

    private static Runner trial(String benchmark, int threads) {
        return trial(LossyBenchmark.class, benchmark, threads);
    }

    private static Runner trial(Class<? extends Comparison> type, String benchmark, int threads) {
        return new Runner(new OptionsBuilder()
                .include(type.getName() + "." + benchmark + "$")
                .addProfiler(Exactness.class)
                .forks(0)
                .threads(threads)
                .warmupIterations(1)
                .warmupTime(TimeValue.milliseconds(10))
                .measurementIterations(LossyBenchmark.ITERATIONS - 1)
                .measurementTime(TimeValue.milliseconds(10))
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT)
                .build());
    }

    @Test
    void aTrialThatCountsEachOperationPasses() throws RunnerException {
        assertThat(trial("exact", 1).run()).hasSize(1);
        assertThat(trial("exact", 4).run()).hasSize(1);
    }

    @Test
    void aTrialThatLosesOneOperationFails() {
        // JMH hands on what a profiler throws as one of the benchmark's suppressed exceptions.
        assertThatThrownBy(() -> trial("lossy", 1).run())
                .isInstanceOf(RunnerException.class)
                .extracting(thrown -> thrown.getCause().getSuppressed(), as(array(Throwable[].class)))
                .singleElement(as(THROWABLE))
                .hasMessageMatching("operations counted: \\d+, and not \\d+");
    }

    /** What is static has counted in the first trial. */
    @Test
    void aTrialHasToCountItsOwnOperationsOnly() throws RunnerException {
        assertThat(trial(AddBenchmark.class, "perCpuAdd", 1).run()).hasSize(1);
        assertThat(trial(AddBenchmark.class, "perCpuAdd", 1).run()).hasSize(1);
        assertThat(trial(AddBenchmark.class, "threadLocalAdd", 1).run()).hasSize(1);
    }

    @Test
    void aSumIsNotNearIfAPartOfItIsLost() {
        Comparison.checkNear("sum", -1e9, -1e9 - 1, Comparison.ROUNDING);
        for (double wrong : new double[] {-1e9 - 1e6, -1e9 + 1e6, Double.NaN}) {
            assertThatThrownBy(() -> Comparison.checkNear("sum", -1e9, wrong, Comparison.ROUNDING))
                    .hasMessage("sum: " + wrong + ", and not about -1.0E9");
        }
    }

    /** Each gives back the histogram that it was given itself. */
    @Test
    void whatSeveralThreadsReadOfARecorderIsAllThatWasRecorded() throws RunnerException {
        assertThat(trial(HistogramSnapshotBenchmark.class, "hdrHistogramRecorder", 2)
                        .run())
                .hasSize(1);
    }

    @Test
    void whatThreadsWereGivenIsSummedUp() {
        Latencies latencies = new Latencies();
        latencies.draw();
        long before = Latencies.sum();
        long sum = 0;
        long least = Long.MAX_VALUE;
        long greatest = 0;

        for (int i = 0; i < 20_000; i++) {
            long nanos = latencies.nextNanos();
            sum += nanos;
            least = Math.min(least, nanos);
            greatest = Math.max(greatest, nanos);
        }

        assertThat(Latencies.sum() - before).isEqualTo(sum);
        assertThat(Latencies.sumInSeconds()).isEqualTo(Latencies.sum() / 1e9);
        assertThat(Latencies.least()).isEqualTo(least);
        assertThat(Latencies.greatest()).isEqualTo(greatest);
        assertThat(Latencies.greatestInSeconds()).isEqualTo(greatest / 1e9);
    }
}

package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.NOT_COMPARABLE;
import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.PerCpuNumeric;
import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.memory.NumericWidth;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.AbstractHistogram;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Recorder;
import org.HdrHistogram.SynchronizedHistogram;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * What does it cost to record a latency into a histogram that all threads share? All have about 1% of error, but for
 * Prometheus' classic histogram, which has eleven bounds.
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar HistogramBenchmark -t 1 -prof gc
 * java -jar benchmarks/target/benchmarks.jar HistogramBenchmark -t 2 -prof gc
 * </pre>
 *
 * <p>Two more are no shared histograms with an exact sum, and say where the time goes. {@link #perCpuAddOnly} adds the
 * same values to one number, and {@link #hdrHistogramPerThread} is one that each thread has for itself. HdrHistogram's
 * {@code SingleWriterRecorder} is not here: several threads at a time would lose values in it.
 */
public class HistogramBenchmark extends CountingComparison {
    private static final int DIGITS = 2;
    private static final long HOUR = TimeUnit.HOURS.toNanos(1);

    private static final PerCpuHistogram PER_CPU =
            PerCpuHistogram.builder().relativeError(0.01).highestTrackable(HOUR).build();
    private static final PerCpuHistogram PER_CPU_WITH_BOUNDS =
            PerCpuHistogram.builder().bounds(PrometheusHistogram.bounds()).build();
    private static final PerCpuNumeric SUM = PerCpuNumeric.define("benchmark sum of latencies", NumericWidth.LONG);

    private static final PrometheusHistogram CLASSIC = PrometheusHistogram.classic();
    private static final PrometheusHistogram NATIVE = PrometheusHistogram.nativeOne();
    private static final ConcurrentHistogram CONCURRENT = new ConcurrentHistogram(HOUR, DIGITS);
    private static final SynchronizedHistogram SYNCHRONIZED = new SynchronizedHistogram(HOUR, DIGITS);
    private static final Recorder RECORDER = new Recorder(HOUR, DIGITS);
    private static final Recorder AUTO_RESIZING = new Recorder(DIGITS);

    /** By how much the sum may be wrong that HdrHistogram tells: it knows the buckets of the values. */
    private static final double HDR_ERROR = 0.01;

    private long inIntervals;
    private double sumInIntervals;

    /** A histogram for one thread. */
    @State(Scope.Thread)
    public static class Own {
        private final org.HdrHistogram.Histogram histogram = new org.HdrHistogram.Histogram(HOUR, DIGITS);
    }

    @Benchmark
    @Role(value = OURS, label = "`PerCpuHistogram.record`")
    public void perCpuRecord(Latencies latencies) {
        PER_CPU.record(latencies.nextNanos());
    }

    /** With the bounds that Prometheus' classic histogram has here. */
    @Benchmark
    @Role(value = OURS, label = "`PerCpuHistogram.record`, own bounds")
    public void perCpuRecordWithBounds(Latencies latencies) {
        PER_CPU_WITH_BOUNDS.record(latencies.nextNanos());
    }

    @Benchmark
    @Role(value = NOT_COMPARABLE, label = "one addition alone (`PerCpuNumeric.add`)")
    public void perCpuAddOnly(Latencies latencies) {
        SUM.add(latencies.nextNanos());
    }

    @Benchmark
    @Role(value = PEER, label = "Prometheus classic, 11 bounds")
    public void prometheusClassic(Latencies latencies) {
        CLASSIC.observe(latencies.nextSeconds());
    }

    @Benchmark
    @Role(value = PEER, label = "Prometheus native")
    public void prometheusNative(Latencies latencies) {
        NATIVE.observe(latencies.nextSeconds());
    }

    @Benchmark
    @Role(value = PEER, label = "HdrHistogram `Recorder` with a fixed range")
    public void hdrHistogramRecorder(Latencies latencies) {
        RECORDER.recordValue(latencies.nextNanos());
    }

    /** It grows with the values, and asks each time whether it must. */
    @Benchmark
    @Role(value = PEER, label = "HdrHistogram `Recorder` that resizes itself")
    public void hdrHistogramAutoResizingRecorder(Latencies latencies) {
        AUTO_RESIZING.recordValue(latencies.nextNanos());
    }

    @Benchmark
    @Role(value = PEER, label = "HdrHistogram `ConcurrentHistogram`")
    public void hdrHistogramConcurrent(Latencies latencies) {
        CONCURRENT.recordValue(latencies.nextNanos());
    }

    @Benchmark
    @Role(value = PEER, label = "HdrHistogram `SynchronizedHistogram`")
    public void hdrHistogramSynchronized(Latencies latencies) {
        SYNCHRONIZED.recordValue(latencies.nextNanos());
    }

    @Benchmark
    @Role(value = NOT_COMPARABLE, label = "HdrHistogram `Histogram`, one for each thread")
    public void hdrHistogramPerThread(Own own, Latencies latencies) {
        own.histogram.recordValue(latencies.nextNanos());
    }

    @Override
    boolean counts(String benchmark) {
        return !benchmark.equals("perCpuAddOnly") && !benchmark.equals("hdrHistogramPerThread");
    }

    @Override
    void check(String benchmark, long operations) {
        super.check(benchmark, operations);
        if (benchmark.startsWith("perCpu")) {
            checkEqual(
                    "the sum of the values",
                    Latencies.sum(),
                    PER_CPU.snapshot().sum() + PER_CPU_WITH_BOUNDS.snapshot().sum() + SUM.sum());
        } else if (benchmark.startsWith("prometheus")) {
            checkNear("the sum in seconds", Latencies.sumInSeconds(), CLASSIC.sum() + NATIVE.sum(), ROUNDING);
        } else if (counts(benchmark)) {
            // The total was asked for above, with what is in the intervals.
            checkNear(
                    "the sum of the values",
                    (double) Latencies.sum(),
                    sum(CONCURRENT) + sum(SYNCHRONIZED) + sumInIntervals,
                    HDR_ERROR);
        }
    }

    private static double sum(AbstractHistogram histogram) {
        return histogram.getTotalCount() * histogram.getMean();
    }

    @Override
    long total() {
        for (Recorder recorder : List.of(RECORDER, AUTO_RESIZING)) {
            AbstractHistogram interval = recorder.getIntervalHistogram();
            inIntervals += interval.getTotalCount();
            sumInIntervals += sum(interval);
        }
        return PER_CPU.snapshot().count()
                + PER_CPU_WITH_BOUNDS.snapshot().count()
                + CLASSIC.count()
                + NATIVE.count()
                + CONCURRENT.getTotalCount()
                + SYNCHRONIZED.getTotalCount()
                + inIntervals;
    }
}

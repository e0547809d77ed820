package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.concurrent.HistogramSnapshot;
import dev.percpu.concurrent.PerCpuHistogram;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What does it cost to take what a histogram has counted, while nobody records? A per-CPU histogram reads each bucket
 * of each possible CPU.
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar HistogramSnapshotBenchmark
 * </pre>
 */
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class HistogramSnapshotBenchmark extends Comparison {
    private static final int DIGITS = 2;
    private static final long HOUR = TimeUnit.HOURS.toNanos(1);
    private static final int RECORDED = 100_000;

    private final PerCpuHistogram perCpu =
            PerCpuHistogram.builder().relativeError(0.01).highestTrackable(HOUR).build();
    private final PerCpuHistogram perCpuByDefault = PerCpuHistogram.builder().build();
    private final PerCpuHistogram perCpuWithBounds =
            PerCpuHistogram.builder().bounds(PrometheusHistogram.bounds()).build();
    private final PrometheusHistogram classic = PrometheusHistogram.classic();
    private final PrometheusHistogram nativeOne = PrometheusHistogram.nativeOne();
    private final Recorder recorder = new Recorder(HOUR, DIGITS);
    private final LongAdder inIntervals = new LongAdder();

    /** What a thread gives back to the recorder: another thread may not have it at the same time. */
    @State(Scope.Thread)
    public static class Recycled {
        private @Nullable Histogram histogram;
    }

    @Setup
    public void record() {
        Latencies latencies = new Latencies();
        latencies.draw();
        for (int i = 0; i < RECORDED; i++) {
            perCpu.record(latencies.nextNanos());
            perCpuByDefault.record(latencies.nextNanos());
            perCpuWithBounds.record(latencies.nextNanos());
            recorder.recordValue(latencies.nextNanos());
            classic.observe(latencies.nextSeconds());
            nativeOne.observe(latencies.nextSeconds());
        }
    }

    @Benchmark
    @Role(value = OURS, task = "read", label = "`PerCpuHistogram.snapshot`")
    public HistogramSnapshot perCpuSnapshot() {
        return perCpu.snapshot();
    }

    @Benchmark
    @Role(value = OURS, task = "read", label = "`PerCpuHistogram.snapshot`, default buckets")
    public HistogramSnapshot perCpuSnapshotByDefault() {
        return perCpuByDefault.snapshot();
    }

    /** With the bounds that Prometheus' classic histogram has here. */
    @Benchmark
    @Role(value = OURS, task = "read", label = "`PerCpuHistogram.snapshot`, 11 bounds")
    public HistogramSnapshot perCpuSnapshotWithBounds() {
        return perCpuWithBounds.snapshot();
    }

    @Benchmark
    @Role(value = OURS, task = "read and reset", label = "`PerCpuHistogram.snapshotThenReset`")
    public HistogramSnapshot perCpuSnapshotThenReset() {
        return perCpu.snapshotThenReset();
    }

    @Benchmark
    @Role(value = PEER, task = "read", label = "Prometheus classic")
    public MetricSnapshot prometheusClassic() {
        return classic.collect();
    }

    @Benchmark
    @Role(value = PEER, task = "read", label = "Prometheus native")
    public MetricSnapshot prometheusNative() {
        return nativeOne.collect();
    }

    /** It exchanges two histograms, and so resets, too. */
    @Benchmark
    @Role(value = PEER, task = "read and reset", label = "HdrHistogram `Recorder`")
    public Histogram hdrHistogramRecorder(Recycled recycled) {
        Histogram histogram = recorder.getIntervalHistogram(recycled.histogram);
        long count = histogram.getTotalCount();
        // The first one has all.
        if (count != 0) {
            inIntervals.add(count);
        }
        recycled.histogram = histogram;
        return histogram;
    }

    /** Nobody records meanwhile, so all is still there but for what a reset took. */
    @Override
    void check(String benchmark, long operations) {
        checkEqual(
                "recorded",
                benchmark.endsWith("Reset") ? 0 : RECORDED,
                perCpu.snapshot().count());
        checkEqual("recorded by default", RECORDED, perCpuByDefault.snapshot().count());
        checkEqual("recorded with bounds", RECORDED, perCpuWithBounds.snapshot().count());
        checkEqual(
                "recorded by the recorder",
                RECORDED,
                inIntervals.sum() + recorder.getIntervalHistogram().getTotalCount());
        checkEqual("recorded by Prometheus, classic", RECORDED, classic.count());
        checkEqual("recorded by Prometheus, native", RECORDED, nativeOne.count());
    }
}

package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.micrometer.PerCpuMeterRegistry;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * What does it cost to record with a meter of Micrometer, kept per CPU, as its simple registry keeps it, and as its
 * registry for Prometheus does, which servers use?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar MicrometerBenchmark -t 1
 * java -jar benchmarks/target/benchmarks.jar MicrometerBenchmark -t 2
 * </pre>
 */
public class MicrometerBenchmark extends CountingComparison {
    private final MeterRegistry perCpu = new PerCpuMeterRegistry();
    private final MeterRegistry simple = new SimpleMeterRegistry();
    private final MeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    private final Counter counter = perCpu.counter("counter");
    private final Counter simpleCounter = simple.counter("counter");
    private final Counter prometheusCounter = prometheus.counter("counter");
    private final Timer timer = perCpu.timer("timer");
    private final Timer simpleTimer = simple.timer("timer");
    private final Timer prometheusTimer = prometheus.timer("timer");
    private final DistributionSummary summary = perCpu.summary("summary");
    private final DistributionSummary simpleSummary = simple.summary("summary");
    private final DistributionSummary prometheusSummary = prometheus.summary("summary");

    @Benchmark
    @Role(value = OURS, task = "increment", label = "`percpu-micrometer` counter")
    public void perCpuIncrement() {
        counter.increment();
    }

    @Benchmark
    @Role(value = PEER, task = "increment", label = "`SimpleMeterRegistry`'s counter")
    public void simpleIncrement() {
        simpleCounter.increment();
    }

    @Benchmark
    @Role(value = PEER, task = "increment", label = "`PrometheusMeterRegistry`'s counter")
    public void prometheusIncrement() {
        prometheusCounter.increment();
    }

    @Benchmark
    @Role(value = OURS, task = "record a time", label = "`percpu-micrometer` timer")
    public void perCpuTimer(Latencies latencies) {
        timer.record(latencies.nextNanos(), TimeUnit.NANOSECONDS);
    }

    @Benchmark
    @Role(value = PEER, task = "record a time", label = "`SimpleMeterRegistry`'s timer")
    public void simpleTimer(Latencies latencies) {
        simpleTimer.record(latencies.nextNanos(), TimeUnit.NANOSECONDS);
    }

    @Benchmark
    @Role(value = PEER, task = "record a time", label = "`PrometheusMeterRegistry`'s timer")
    public void prometheusTimer(Latencies latencies) {
        prometheusTimer.record(latencies.nextNanos(), TimeUnit.NANOSECONDS);
    }

    @Benchmark
    @Role(value = OURS, task = "record an amount", label = "`percpu-micrometer` summary")
    public void perCpuSummary(Latencies latencies) {
        summary.record(latencies.nextSeconds());
    }

    @Benchmark
    @Role(value = PEER, task = "record an amount", label = "`SimpleMeterRegistry`'s summary")
    public void simpleSummary(Latencies latencies) {
        simpleSummary.record(latencies.nextSeconds());
    }

    @Benchmark
    @Role(value = PEER, task = "record an amount", label = "`PrometheusMeterRegistry`'s summary")
    public void prometheusSummary(Latencies latencies) {
        prometheusSummary.record(latencies.nextSeconds());
    }

    @Override
    void check(String benchmark, long operations) {
        super.check(benchmark, operations);
        if (benchmark.endsWith("Timer")) {
            double nanos = Stream.of(timer, simpleTimer, prometheusTimer)
                    .mapToDouble(each -> each.totalTime(TimeUnit.NANOSECONDS))
                    .sum();
            checkEqual("the total time", Latencies.sum(), (long) nanos);
        } else {
            checkNear(
                    "the total amount",
                    Latencies.sumInSeconds(),
                    Stream.of(summary, simpleSummary, prometheusSummary)
                            .mapToDouble(DistributionSummary::totalAmount)
                            .sum(),
                    ROUNDING);
        }
    }

    @Override
    long total() {
        return (long) (counter.count() + simpleCounter.count() + prometheusCounter.count())
                + Stream.of(timer, simpleTimer, prometheusTimer)
                        .mapToLong(Timer::count)
                        .sum()
                + Stream.of(summary, simpleSummary, prometheusSummary)
                        .mapToLong(DistributionSummary::count)
                        .sum();
    }
}

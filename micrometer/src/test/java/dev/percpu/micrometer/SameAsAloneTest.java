package dev.percpu.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.LongTaskTimer;
import io.micrometer.core.instrument.Measurement;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MockClock;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.micrometer.core.instrument.distribution.HistogramSupport;
import io.micrometer.core.instrument.distribution.ValueAtPercentile;
import io.micrometer.core.instrument.logging.LoggingMeterRegistry;
import io.micrometer.core.instrument.logging.LoggingRegistryConfig;
import io.micrometer.core.instrument.simple.SimpleConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What the settings of timers and summaries do is what they do in the exporter without this registry. */
class SameAsAloneTest {
    private final MockClock clock = new MockClock();
    private final PrometheusMeterRegistry alone = prometheus();
    private final PrometheusMeterRegistry exporter = prometheus();
    private final MeterRegistry registry = new PerCpuMeterRegistry(exporter);

    private PrometheusMeterRegistry prometheus() {
        return new PrometheusMeterRegistry(PrometheusConfig.DEFAULT, new PrometheusRegistry(), clock);
    }

    private List<String> scraped() {
        return exporter.scrape().lines().filter(line -> !line.startsWith("#")).toList();
    }

    private void sameScrapeAsAlone(Consumer<MeterRegistry> use) {
        use.accept(alone);
        use.accept(registry);
        assertThat(exporter.scrape()).isEqualTo(alone.scrape());
    }

    @Test
    void aNegativeScaleWithObjectivesDoesWhatItDoesInTheExporterAlone() {
        sameScrapeAsAlone(each -> {
            for (double scale : new double[] {1, 0.25, -1, -2.5}) {
                DistributionSummary summary = DistributionSummary.builder("size")
                        .tag("scale", Double.toString(scale))
                        .serviceLevelObjectives(1, 10)
                        .publishPercentiles(0.5)
                        .scale(scale)
                        .register(each);
                for (double amount : new double[] {0, 0.5, 5, 50, -5}) {
                    summary.record(amount);
                }
            }
        });
        assertThat(scraped()).contains("size_sum{scale=\"-2.5\"} -138.75", "size_count{scale=\"-2.5\"} 4");
    }

    /** What a timer or a summary was told of its values is for the exporter, which makes buckets of it. */
    @Test
    void theExpectedValuesBoundTheBucketsOfTheExporter() {
        sameScrapeAsAlone(each -> {
            Timer.builder("timer")
                    .publishPercentileHistogram()
                    .minimumExpectedValue(Duration.ofMillis(3))
                    .maximumExpectedValue(Duration.ofMillis(40))
                    .serviceLevelObjectives(Duration.ofMillis(5), Duration.ofSeconds(1))
                    .register(each)
                    .record(Duration.ofMillis(7));
            DistributionSummary.builder("summary")
                    .publishPercentileHistogram()
                    .minimumExpectedValue(2.5)
                    .maximumExpectedValue(33.5)
                    .register(each)
                    .record(4);
            LongTaskTimer.builder("job")
                    .publishPercentileHistogram()
                    .minimumExpectedValue(Duration.ofMinutes(3))
                    .maximumExpectedValue(Duration.ofMinutes(40))
                    .serviceLevelObjectives(Duration.ofMinutes(7), Duration.ofDays(1))
                    .register(each)
                    .start();
        });
        assertThat(scraped())
                .contains(
                        "timer_seconds_bucket{le=\"0.003\"} 0",
                        "timer_seconds_bucket{le=\"0.04\"} 1",
                        "summary_bucket{le=\"2.5\"} 0",
                        "summary_bucket{le=\"33.5\"} 1",
                        "job_seconds_bucket{le=\"180.0\"} 1",
                        "job_seconds_bucket{le=\"420.0\"} 1",
                        "job_seconds_bucket{le=\"2400.0\"} 1")
                .noneMatch(line -> line.contains("le=\"0.001\"") || line.contains("le=\"1.0\"} 0"));
    }

    /** A filter can give a timer fractions of a nanosecond, and a builder takes durations, which have none. */
    @Test
    void fractionsOfANanosecondAreRounded() {
        for (MeterRegistry each : List.of(registry, alone)) {
            each.config().meterFilter(new MeterFilter() {
                @Override
                public DistributionStatisticConfig configure(Meter.Id id, DistributionStatisticConfig config) {
                    return DistributionStatisticConfig.builder()
                            .serviceLevelObjectives(0.5, 1.25, 1.75, 10, 0.067 * 1e9)
                            .minimumExpectedValue(0.25)
                            .maximumExpectedValue(1e9 + 0.5)
                            .build()
                            .merge(config);
                }
            });
            each.timer("timer").record(2, TimeUnit.NANOSECONDS);
            each.summary("summary").record(1.5);
            each.more().longTaskTimer("job").start();
        }
        assertThat(scraped())
                .filteredOn(line -> line.startsWith("timer_seconds_bucket"))
                .containsExactly(
                        "timer_seconds_bucket{le=\"1.0E-9\"} 0",
                        "timer_seconds_bucket{le=\"2.0E-9\"} 1",
                        "timer_seconds_bucket{le=\"1.0E-8\"} 1",
                        "timer_seconds_bucket{le=\"0.067\"} 1",
                        "timer_seconds_bucket{le=\"+Inf\"} 1");
        assertThat(scraped())
                .contains("job_seconds_bucket{le=\"1.0E-9\"} 1")
                .containsAll(alone.scrape()
                        .lines()
                        .filter(line -> line.startsWith("summary"))
                        .toList());
    }

    /** The exporter's own meter has the exporter's unit, and the id that the user sees says seconds. */
    @Test
    void aLongTaskTimerIsMeasuredInTheUnitOfItsId() {
        LoggingMeterRegistry milliseconds = new LoggingMeterRegistry(LoggingRegistryConfig.DEFAULT, clock, _ -> {});
        try {
            assertThat(milliseconds.more().longTaskTimer("job").baseTimeUnit()).isEqualTo(TimeUnit.MILLISECONDS);
            LongTaskTimer job = new PerCpuMeterRegistry(milliseconds).more().longTaskTimer("another job");
            LongTaskTimer.Sample _ = job.start();
            clock.add(Duration.ofSeconds(2));
            assertThat(job.getId().getBaseUnit()).isEqualTo("seconds");
            assertThat(job.measure()).extracting(Measurement::getValue).containsExactly(1.0, 2.0, 2.0);
        } finally {
            milliseconds.close();
        }
    }

    /** What exporters that know nothing of a meter's type send. */
    @Test
    void theMeasurementsAreThoseOfTheSimpleRegistry() {
        MeterRegistry simple = new SimpleMeterRegistry(SimpleConfig.DEFAULT, clock);
        MeterRegistry inFront = new PerCpuMeterRegistry(new SimpleMeterRegistry(SimpleConfig.DEFAULT, clock));
        List<List<String>> measured = new ArrayList<>();
        for (MeterRegistry each : List.of(simple, inFront)) {
            List<Meter> meters = new ArrayList<>();
            for (double[] objectives : new double[][] {{}, {1}}) {
                DistributionSummary summary = DistributionSummary.builder("summary" + objectives.length)
                        .serviceLevelObjectives(objectives)
                        .register(each);
                summary.record(3);
                summary.record(4);
                meters.add(summary);
                Timer timer = Timer.builder("timer" + objectives.length)
                        .serviceLevelObjectives(Arrays.stream(objectives)
                                .mapToObj(seconds -> Duration.ofSeconds((long) seconds))
                                .toArray(Duration[]::new))
                        .register(each);
                timer.record(Duration.ofSeconds(3));
                meters.add(timer);
            }
            Counter counter = each.counter("counter");
            counter.increment(2);
            meters.add(counter);
            LongTaskTimer longTaskTimer = each.more().longTaskTimer("job");
            LongTaskTimer.Sample _ = longTaskTimer.start();
            meters.add(longTaskTimer);
            meters.add(TimeGauge.builder("age", () -> 7, TimeUnit.MILLISECONDS).register(each));
            measured.add(meters.stream()
                    .map(meter -> meter.getId() + " " + meter.measure())
                    .toList());
        }
        assertThat(measured.getLast()).isEqualTo(measured.getFirst());
    }

    private static double percentiles(HistogramSupport meter) {
        return Arrays.stream(meter.takeSnapshot().percentileValues())
                .mapToDouble(ValueAtPercentile::value)
                .sum();
    }

    /** Those that are kept here, and those that the exporter keeps, with the expiry that was asked for or without. */
    @Test
    void maximaAndPercentilesEndWhenThoseOfTheExporterAloneDo() {
        List<List<Supplier<List<Double>>>> read = new ArrayList<>();
        List<Runnable> recordings = new ArrayList<>();
        for (MeterRegistry each : List.of(registry, alone)) {
            List<Supplier<List<Double>>> numbers = new ArrayList<>();
            for (String name : List.of("unset", "expiry", "buffer", "percentiles", "both")) {
                Timer.Builder timers = Timer.builder(name + ".timer");
                DistributionSummary.Builder summaries = DistributionSummary.builder(name + ".summary");
                if (!name.equals("unset")) {
                    timers.distributionStatisticExpiry(Duration.ofSeconds(7));
                    summaries.distributionStatisticExpiry(Duration.ofSeconds(7));
                }
                if (name.equals("buffer") || name.equals("both")) {
                    timers.distributionStatisticBufferLength(1);
                    summaries.distributionStatisticBufferLength(1);
                }
                if (name.equals("percentiles") || name.equals("both")) {
                    timers.publishPercentiles(0.5).percentilePrecision(2);
                    summaries.publishPercentiles(0.5).percentilePrecision(2);
                }
                Timer timer = timers.register(each);
                DistributionSummary summary = summaries.register(each);
                recordings.add(() -> {
                    timer.record(Duration.ofSeconds(5));
                    summary.record(50);
                });
                numbers.add(() ->
                        List.of(timer.max(TimeUnit.SECONDS), percentiles(timer), summary.max(), percentiles(summary)));
            }
            read.add(numbers);
        }
        List<Double> firstTimers = new ArrayList<>();
        for (int seconds = 0; seconds < 200; seconds += 5) {
            // Of what is recorded within a step, the number of steps decides how long it is there.
            if (seconds <= 5) {
                recordings.forEach(Runnable::run);
            }
            for (int i = 0; i < read.getFirst().size(); i++) {
                List<Double> ours = read.getFirst().get(i).get();
                assertThat(ours)
                        .as("after %d s", seconds)
                        .isEqualTo(read.getLast().get(i).get());
                firstTimers.add(ours.getFirst());
            }
            clock.add(5, TimeUnit.SECONDS);
        }
        // Each was there at first, and is gone at the end.
        int each = read.getFirst().size();
        assertThat(firstTimers.subList(0, each)).containsOnly(5.0);
        assertThat(firstTimers.subList(firstTimers.size() - each, firstTimers.size()))
                .containsOnly(0.0);
        assertThat(scraped()).contains("expiry_timer_max_seconds 0.0", "expiry_summary_max 0.0");
    }

    /** What the page advises if the exporter has a step of its own. */
    @Test
    void withItsStepAsTheExpiryMaximaEndWhenThoseOfTheExporterAloneDo() {
        PrometheusConfig config = new PrometheusConfig() {
            @Override
            public @Nullable String get(String key) {
                return key.equals("prometheus.step") ? "10s" : null;
            }
        };
        List<Timer> timers = new ArrayList<>();
        for (boolean isInFront : new boolean[] {true, false}) {
            MeterRegistry each = new PrometheusMeterRegistry(config, new PrometheusRegistry(), clock);
            if (isInFront) {
                each = new PerCpuMeterRegistry(each);
                each.config().meterFilter(new MeterFilter() {
                    @Override
                    public DistributionStatisticConfig configure(Meter.Id id, DistributionStatisticConfig given) {
                        return given.merge(DistributionStatisticConfig.builder()
                                .expiry(config.step())
                                .build());
                    }
                });
            }
            Timer timer = each.timer("timer");
            timer.record(Duration.ofSeconds(5));
            timers.add(timer);
        }
        for (int seconds = 0; seconds < 60; seconds += 2) {
            assertThat(timers.getFirst().max(TimeUnit.SECONDS))
                    .as("after %d s", seconds)
                    .isEqualTo(timers.getLast().max(TimeUnit.SECONDS));
            clock.add(2, TimeUnit.SECONDS);
        }
        assertThat(timers.getLast().max(TimeUnit.SECONDS)).isZero();
    }
}

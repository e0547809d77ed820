package dev.percpu.micrometer;

import dev.percpu.micrometer.Exports.Export;
import dev.percpu.micrometer.Merged.Kind;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.LongTaskTimer;
import io.micrometer.core.instrument.Measurement;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.core.instrument.cumulative.CumulativeFunctionCounter;
import io.micrometer.core.instrument.cumulative.CumulativeFunctionTimer;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.micrometer.core.instrument.distribution.pause.PauseDetector;
import io.micrometer.core.instrument.internal.DefaultGauge;
import io.micrometer.core.instrument.internal.DefaultMeter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.core.instrument.util.TimeUtils;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.ConcurrentModificationException;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * A registry in front of another one, the exporter: its counters, timers and distribution summaries are kept per CPU,
 * and the exporter reads them when it exports.
 *
 * <pre>{@code
 * PrometheusMeterRegistry exporter = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
 * MeterRegistry registry = new PerCpuMeterRegistry(exporter);
 *
 * Timer timer = registry.timer("requests", "path", "/hello");
 * timer.record(nanos, TimeUnit.NANOSECONDS);
 * String scraped = exporter.scrape();
 * }</pre>
 *
 * <p><b>What is kept per CPU.</b> Counters, and timers and distribution summaries without percentiles and without a
 * histogram. A recording adds to count and total, without a lock and without a contended cache line, and looks at the
 * maximum. Each recording is in count and total once. The maximum is that of the last three steps, or of as many as
 * were asked for as buffer length. A step lasts a minute, or what was asked for as expiry. The exporter's own step is
 * not known here: if it is not a minute, ask for it as the expiry.
 *
 * <p><b>What the exporter keeps.</b> Everything else: gauges, long task timers, meters that are functions, and the
 * timers and summaries with percentiles or a histogram, as only the exporter knows how to export those. They are
 * neither faster nor slower than without this registry.
 *
 * <p><b>What the exporter sees.</b> A counter is a {@link FunctionCounter} to it. A timer is a {@link FunctionTimer} of
 * the same name and a {@link TimeGauge} with {@code .max} behind the name. A distribution summary is a
 * {@code FunctionCounter} with {@code .count} behind its name, another with {@code .total}, and a gauge with
 * {@code .max}. If its filters give several meters the same id, or several registries are in front of it, it has the
 * sum of them. If it has something else under such an id, the meter is refused with
 * {@link IllegalArgumentException}: so nothing else may register counters, timers or summaries with it. If it has the
 * meter, but refuses to export it, the listeners of this registry's {@code config().onMeterRegistrationFailed} are
 * told, as its own are.
 *
 * <p><b>Composites.</b> If this registry is to be in a {@link CompositeMeterRegistry}, put it in front of the registry
 * that exports, not of the composite. Otherwise each meter is refused with {@link IllegalStateException}.
 *
 * <p>Meters that are removed here are removed there. Closing this registry closes the exporter. As with every registry,
 * meters that are asked for after that do nothing.
 */
public final class PerCpuMeterRegistry extends MeterRegistry {
    /** How long a step of a maximum lasts by default: as long as exporters' own steps do by default. */
    static final Duration STEP = Duration.ofMinutes(1);

    private final MeterRegistry exporter;

    private final Exports exports;

    /** For each meter what releases its counterparts in the exporter. */
    private final Map<Meter.Id, Runnable> releases = new ConcurrentHashMap<>();

    /**
     * A registry that nobody exports: it keeps totals since its beginning, as {@link SimpleMeterRegistry} does. But it
     * has no gauges for percentiles and service level objectives: read these from {@code takeSnapshot()}.
     */
    public PerCpuMeterRegistry() {
        this(new SimpleMeterRegistry());
    }

    /** A registry in front of this exporter, with its clock. */
    public PerCpuMeterRegistry(MeterRegistry exporter) {
        super(exporter.config().clock());
        this.exporter = exporter;
        exports = Exports.of(exporter);
        config().onMeterRemoved(meter -> release(meter.getId()));
        MaximumAdvancer.start(this);
    }

    private void release(Meter.Id id) {
        Runnable release = releases.remove(id);
        if (release != null) {
            release.run();
        }
    }

    /**
     * Refuses a meter that would be passed on in a cycle: the exporter is, or leads to, a composite that has a registry
     * in front of it. A composite holds a lock while it passes a meter on. As that lock is not reentrant, the thread
     * would spin for ever when the meter comes back. A composite can get registries at any time, so each registration
     * looks.
     */
    private void refuseCycle() {
        while (true) {
            try {
                refuseCycle(this, Collections.newSetFromMap(new IdentityHashMap<>()));
                return;
            } catch (ConcurrentModificationException e) {
                // Another thread has changed a composite, whose registries are read without a lock. Look again.
                Thread.onSpinWait();
            }
        }
    }

    /** @param way from the first registry to this one; not all that were seen, as two ways to one are no cycle */
    private static void refuseCycle(MeterRegistry registry, Set<MeterRegistry> way) {
        if (!way.add(registry)) {
            throw new IllegalStateException("the exporter is a composite that passes each meter on to the registry in"
                    + " front of it: create the PerCpuMeterRegistry in front of the registry that exports, not of the"
                    + " composite that it is added to");
        }
        if (registry instanceof CompositeMeterRegistry composite) {
            composite.getRegistries().forEach(each -> refuseCycle(each, way));
        } else if (registry instanceof PerCpuMeterRegistry front) {
            refuseCycle(front.exporter, way);
        }
        way.remove(registry);
    }

    /**
     * Registers a meter's counterparts with the exporter: all of them, or none if the exporter refuses one. Micrometer
     * asks for a meter with the same id again if it did not keep the first, as a listener of this registry threw an
     * exception: then that one's counterparts are released.
     */
    @SafeVarargs
    private <M extends Meter> M exportedAs(M meter, Supplier<Export>... counterparts) {
        refuseCycle();
        release(meter.getId());
        List<Export> registered = new ArrayList<>(counterparts.length);
        Runnable release = () -> releaseAll(registered, meter);
        try {
            for (Supplier<Export> counterpart : counterparts) {
                Export export = counterpart.get();
                registered.add(export);
                tellIfRefused(meter.getId(), export);
            }
            releases.put(meter.getId(), release);
            return meter;
        } catch (Throwable e) {
            // Also a checked one: a listener in another language can throw it.
            registered.forEach(export -> exports.releaseAfter(e, export, meter));
            throw e;
        }
    }

    /** Releases all of them, even if a listener of the exporter throws: nobody would release the others later. */
    private void releaseAll(List<Export> registered, Meter meter) {
        Iterator<Export> left = registered.iterator();
        while (left.hasNext()) {
            try {
                exports.release(left.next(), meter);
            } catch (Throwable e) {
                left.forEachRemaining(export -> exports.releaseAfter(e, export, meter));
                throw e;
            }
        }
    }

    /** Registers a meter with the exporter, and makes one that forwards to it. */
    private <E extends Meter, M extends Meter> M forwarding(
            Meter.Id id, Class<E> type, Supplier<E> registration, Function<E, M> inFront) {
        refuseCycle();
        release(id);
        Export export = exports.pass(registration::get);
        Runnable release = () -> exports.release(export, export.meter());
        try {
            tellIfRefused(id, export);
            M meter = inFront.apply(type.cast(export.meter()));
            releases.put(id, release);
            return meter;
        } catch (Throwable e) {
            exports.releaseAfter(e, export, export.meter());
            throw e;
        }
    }

    /** Tells this registry's listeners about a meter that the exporter has and does not export. */
    private void tellIfRefused(Meter.Id id, Export export) {
        String refusal = export.refusal();
        if (refusal != null) {
            meterRegistrationFailed(id, refusal);
        }
    }

    /** Ends the steps of maxima that are over. */
    void advanceMaxima() {
        forEachMeter(meter -> {
            if (meter instanceof HasMaximum has) {
                has.maximum().advance();
            }
        });
    }

    @Override
    protected Counter newCounter(Meter.Id id) {
        Counter counter = new CountingMeter(id);
        return exportedAs(
                counter, () -> mergedCounter(Kind.COUNTER, id, "", id.getBaseUnit(), counter, counter::count));
    }

    private Export mergedCounter(
            Kind kind, Meter.Id id, String suffix, @Nullable String unit, Meter meter, DoubleSupplier number) {
        return exports.merge(kind, meter, merged -> functionCounter(id, suffix, unit, merged, Merged::first), number);
    }

    private <T> FunctionCounter functionCounter(
            Meter.Id id, String suffix, @Nullable String unit, T obj, ToDoubleFunction<T> function) {
        return FunctionCounter.builder(id.getName() + suffix, obj, function)
                .tags(id.getTagsAsIterable())
                .description(id.getDescription())
                .baseUnit(unit)
                .register(exporter);
    }

    @Override
    protected Timer newTimer(Meter.Id id, DistributionStatisticConfig config, PauseDetector pauseDetector) {
        if (config.isPublishingPercentiles() || config.isPublishingHistogram()) {
            Timer.Builder builder = Timer.builder(id.getName())
                    .tags(id.getTagsAsIterable())
                    .description(id.getDescription())
                    .publishPercentiles(config.getPercentiles())
                    .percentilePrecision(config.getPercentilePrecision())
                    .publishPercentileHistogram(config.isPercentileHistogram())
                    .serviceLevelObjectives(durations(config.getServiceLevelObjectiveBoundaries()))
                    .minimumExpectedValue(duration(config.getMinimumExpectedValueAsDouble()))
                    .maximumExpectedValue(duration(config.getMaximumExpectedValueAsDouble()))
                    .distributionStatisticExpiry(config.getExpiry())
                    .distributionStatisticBufferLength(config.getBufferLength())
                    .pauseDetector(pauseDetector);
            return forwarding(
                    id,
                    Timer.class,
                    () -> builder.register(exporter),
                    timer -> new ForwardingTimer(id, clock, getBaseTimeUnit(), timer));
        }
        PerCpuTimer timer =
                new PerCpuTimer(id, clock, pauseDetector, getBaseTimeUnit(), WindowMaximum.of(clock, config, this));
        return exportedAs(
                timer,
                () -> exports.merge(
                        Kind.TIMER,
                        timer,
                        merged -> functionTimer(
                                id, merged, all -> (long) all.first(), Merged::second, TimeUnit.NANOSECONDS),
                        timer::count,
                        () -> timer.totalTime(TimeUnit.NANOSECONDS)),
                () -> exports.merge(
                        Kind.TIMER_MAXIMUM,
                        timer,
                        merged -> timeGauge(id, ".max", merged, TimeUnit.NANOSECONDS, Merged::first),
                        () -> timer.max(TimeUnit.NANOSECONDS)));
    }

    private <T> FunctionTimer functionTimer(
            Meter.Id id, T obj, ToLongFunction<T> count, ToDoubleFunction<T> totalTime, TimeUnit unit) {
        return FunctionTimer.builder(id.getName(), obj, count, totalTime, unit)
                .tags(id.getTagsAsIterable())
                .description(id.getDescription())
                .register(exporter);
    }

    private <T> TimeGauge timeGauge(
            Meter.Id id, String suffix, @Nullable T obj, TimeUnit unit, ToDoubleFunction<T> function) {
        return TimeGauge.builder(id.getName() + suffix, obj, unit, function)
                .tags(id.getTagsAsIterable())
                .description(id.getDescription())
                .register(exporter);
    }

    /** A duration has no fractions of a nanosecond, and is refused if it is 0: so what is above 0 is at least 1. */
    private static @Nullable Duration duration(@Nullable Double nanos) {
        // Not rounded up: 0.067 s is a little more than 67 ms as a double. An infinite one becomes the longest one.
        return nanos == null ? null : Duration.ofNanos(nanos > 0 ? Math.max(1, Math.round(nanos)) : nanos.longValue());
    }

    private static Duration @Nullable [] durations(double @Nullable [] nanos) {
        return nanos == null
                ? null
                : Arrays.stream(nanos).mapToObj(PerCpuMeterRegistry::duration).toArray(Duration[]::new);
    }

    @Override
    protected DistributionSummary newDistributionSummary(
            Meter.Id id, DistributionStatisticConfig config, double scale) {
        if (config.isPublishingPercentiles() || config.isPublishingHistogram()) {
            DistributionSummary.Builder builder = DistributionSummary.builder(id.getName())
                    .tags(id.getTagsAsIterable())
                    .description(id.getDescription())
                    .baseUnit(id.getBaseUnit())
                    .publishPercentiles(config.getPercentiles())
                    .percentilePrecision(config.getPercentilePrecision())
                    .publishPercentileHistogram(config.isPercentileHistogram())
                    .serviceLevelObjectives(config.getServiceLevelObjectiveBoundaries())
                    .minimumExpectedValue(config.getMinimumExpectedValueAsDouble())
                    .maximumExpectedValue(config.getMaximumExpectedValueAsDouble())
                    .distributionStatisticExpiry(config.getExpiry())
                    .distributionStatisticBufferLength(config.getBufferLength())
                    // A summary ignores negative amounts. So the one in front leaves the sign to the exporter's.
                    .scale(Math.copySign(1, scale));
            return forwarding(
                    id,
                    DistributionSummary.class,
                    () -> builder.register(exporter),
                    summary -> new ForwardingDistributionSummary(id, Math.abs(scale), summary));
        }
        PerCpuDistributionSummary summary =
                new PerCpuDistributionSummary(id, scale, WindowMaximum.of(clock, config, this));
        return exportedAs(
                summary,
                () -> mergedCounter(Kind.SUMMARY_COUNT, id, ".count", null, summary, summary::count),
                () -> mergedCounter(Kind.SUMMARY_TOTAL, id, ".total", id.getBaseUnit(), summary, summary::totalAmount),
                () -> exports.merge(
                        Kind.SUMMARY_MAXIMUM,
                        summary,
                        merged -> gauge(id, ".max", merged, Merged::first),
                        summary::max));
    }

    private <T> Gauge gauge(Meter.Id id, String suffix, @Nullable T obj, ToDoubleFunction<T> function) {
        return Gauge.builder(id.getName() + suffix, obj, function)
                .tags(id.getTagsAsIterable())
                .description(id.getDescription())
                .baseUnit(id.getBaseUnit())
                .register(exporter);
    }

    @Override
    protected <T> Gauge newGauge(Meter.Id id, @Nullable T obj, ToDoubleFunction<T> valueFunction) {
        return exportedAs(
                new DefaultGauge<>(id, obj, valueFunction),
                () -> exports.pass(() -> gauge(id, "", obj, valueFunction)));
    }

    @Override
    protected <T> TimeGauge newTimeGauge(
            Meter.Id id, @Nullable T obj, TimeUnit valueFunctionUnit, ToDoubleFunction<T> valueFunction) {
        Meter.Id inSeconds = id.withBaseUnit("seconds");
        Gauge gauge = new DefaultGauge<>(
                inSeconds,
                obj,
                value -> TimeUtils.convert(valueFunction.applyAsDouble(value), valueFunctionUnit, getBaseTimeUnit()));
        TimeGauge timeGauge = new TimeGauge() {
            @Override
            public Meter.Id getId() {
                return inSeconds;
            }

            @Override
            public double value() {
                return gauge.value();
            }

            @Override
            public TimeUnit baseTimeUnit() {
                return getBaseTimeUnit();
            }
        };
        // The exporter's has its own unit.
        return exportedAs(
                timeGauge, () -> exports.pass(() -> timeGauge(id, "", obj, valueFunctionUnit, valueFunction)));
    }

    @Override
    protected LongTaskTimer newLongTaskTimer(Meter.Id id, DistributionStatisticConfig config) {
        LongTaskTimer.Builder builder = LongTaskTimer.builder(id.getName())
                .tags(id.getTagsAsIterable())
                .description(id.getDescription())
                .publishPercentiles(config.getPercentiles())
                .percentilePrecision(config.getPercentilePrecision())
                .publishPercentileHistogram(config.isPercentileHistogram())
                .minimumExpectedValue(duration(config.getMinimumExpectedValueAsDouble()))
                .maximumExpectedValue(duration(config.getMaximumExpectedValueAsDouble()))
                .distributionStatisticExpiry(config.getExpiry())
                .distributionStatisticBufferLength(config.getBufferLength());
        Duration[] objectives = durations(config.getServiceLevelObjectiveBoundaries());
        if (objectives != null) {
            builder.serviceLevelObjectives(objectives);
        }
        return forwarding(
                id,
                LongTaskTimer.class,
                () -> builder.register(exporter),
                timer -> new ForwardingLongTaskTimer(id, getBaseTimeUnit(), timer));
    }

    @Override
    protected <T> FunctionTimer newFunctionTimer(
            Meter.Id id,
            T obj,
            ToLongFunction<T> countFunction,
            ToDoubleFunction<T> totalTimeFunction,
            TimeUnit totalTimeFunctionUnit) {
        return exportedAs(
                new CumulativeFunctionTimer<>(
                        id, obj, countFunction, totalTimeFunction, totalTimeFunctionUnit, getBaseTimeUnit()),
                () -> exports.pass(
                        () -> functionTimer(id, obj, countFunction, totalTimeFunction, totalTimeFunctionUnit)));
    }

    @Override
    protected <T> FunctionCounter newFunctionCounter(Meter.Id id, T obj, ToDoubleFunction<T> countFunction) {
        return exportedAs(
                new CumulativeFunctionCounter<>(id, obj, countFunction),
                () -> exports.pass(() -> functionCounter(id, "", id.getBaseUnit(), obj, countFunction)));
    }

    @Override
    protected Meter newMeter(Meter.Id id, Meter.Type type, Iterable<Measurement> measurements) {
        return exportedAs(
                new DefaultMeter(id, type, measurements),
                () -> exports.pass(() -> Meter.builder(id.getName(), type, measurements)
                        .tags(id.getTagsAsIterable())
                        .description(id.getDescription())
                        .baseUnit(id.getBaseUnit())
                        .register(exporter)));
    }

    /** Seconds; the exporter has its own unit. */
    @Override
    protected TimeUnit getBaseTimeUnit() {
        return TimeUnit.SECONDS;
    }

    /** Nothing: what nobody asked for, the exporter decides. */
    @Override
    protected DistributionStatisticConfig defaultHistogramConfig() {
        return DistributionStatisticConfig.NONE;
    }

    /** Closes this registry and the exporter. */
    @Override
    public void close() {
        // If the exporter is a composite that has this registry, it closes it again, and would without end.
        if (!isClosed()) {
            super.close();
            exporter.close();
        }
    }
}

package dev.percpu.opentelemetry;

import dev.percpu.concurrent.HistogramReader;
import dev.percpu.concurrent.HistogramSnapshot;
import dev.percpu.concurrent.PerCpuHistogram;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** One histogram that is exported, and as what. Each registration makes one, which equals no other. */
final class HistogramSeries {
    private final String name;
    private final String description;
    private final String unit;
    private final Attributes attributes;
    private final double divisor;

    /** The histogram's, in the metric's unit. */
    private final List<Double> bounds;

    private final long startEpochNanos;

    /** What was recorded since then, whoever else resets the histogram. */
    private final HistogramReader exported;

    /** The sum at the last point, as it was read, and what it comes to. Guarded by this. */
    private long lastSum;

    private BigInteger total = BigInteger.ZERO;

    HistogramSeries(
            String name,
            String description,
            String unit,
            Attributes attributes,
            PerCpuHistogram histogram,
            double divisor,
            List<Double> bounds,
            long startEpochNanos) {
        this.name = name;
        this.description = description;
        this.unit = unit;
        this.attributes = attributes;
        this.divisor = divisor;
        this.bounds = bounds;
        this.startEpochNanos = startEpochNanos;
        this.exported = histogram.reader();
    }

    String name() {
        return name;
    }

    String description() {
        return description;
    }

    String unit() {
        return unit;
    }

    Attributes attributes() {
        return attributes;
    }

    /** Names that differ in case only are the same for OpenTelemetry. */
    String key() {
        return name.toLowerCase(Locale.ROOT);
    }

    /** The other one has the same key. */
    void checkGoesTogetherWith(HistogramSeries later) {
        if (!name.equals(later.name) || !description.equals(later.description) || !unit.equals(later.unit)) {
            throw new IllegalArgumentException("a metric has one name, unit and description: registered is "
                    + describe() + ", so it cannot also be " + later.describe());
        }
    }

    private String describe() {
        return name + " in \"" + unit + "\", \"" + description + '"';
    }

    /** What came since the start, as a cumulative point says. */
    HistogramPointData point(long now) {
        HistogramSnapshot snapshot = exported.peek();
        long[] cumulative = snapshot.cumulativeCounts(snapshot.bounds());
        List<Long> counts = new ArrayList<>(cumulative.length + 1);
        long below = 0;
        for (long upTo : cumulative) {
            counts.add(upTo - below);
            below = upTo;
        }
        counts.add(snapshot.count() - below);
        // A snapshot knows only the buckets of the least and of the greatest value.
        return HistogramPointData.create(
                startEpochNanos, now, attributes, total(snapshot.sum()) / divisor, false, 0, false, 0, bounds, counts);
    }

    /**
     * The sum since the start. The sum that is read wraps, since it is a {@code long}. The difference of two is right
     * if less than 2^63 came between them; they need not be in order.
     */
    private synchronized double total(long sum) {
        total = total.add(BigInteger.valueOf(sum - lastSum));
        lastSum = sum;
        return total.doubleValue();
    }
}

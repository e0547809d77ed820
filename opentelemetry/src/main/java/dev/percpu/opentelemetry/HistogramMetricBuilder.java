package dev.percpu.opentelemetry;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.percpu.concurrent.PerCpuHistogram;
import io.opentelemetry.api.common.Attributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/** Says as what a histogram is exported, and registers it; see {@link PerCpuMetricProducer#histogram}. */
public final class HistogramMetricBuilder {
    /** What the SDK wants of an instrument's name. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9_\\-./]{0,254}");

    private final PerCpuMetricProducer producer;
    private final String name;
    private final PerCpuHistogram histogram;
    private final long[] bounds;
    private String description = "";
    private String unit = "";
    private double divisor = 1;
    private Attributes attributes = Attributes.empty();

    HistogramMetricBuilder(PerCpuMetricProducer producer, String name, PerCpuHistogram histogram) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("a metric's name must be a letter, and up to 254 letters, digits and"
                    + " characters of _.-/ behind it, such as http.server.request.duration, not \"" + name + '"');
        }
        this.producer = producer;
        this.name = name;
        this.histogram = histogram;
        this.bounds = histogram.bounds();
        if (bounds.length == 0) {
            throw new IllegalArgumentException("the histogram of the metric " + name + " was built without bounds,"
                    + " which OpenTelemetry's buckets need: build it with PerCpuHistogram.builder().bounds(...)");
        }
    }

    /** Sets the description; it is empty by default. */
    @CanIgnoreReturnValue
    public HistogramMetricBuilder setDescription(String text) {
        description = Objects.requireNonNull(text, "text");
        return this;
    }

    /** Sets the unit of what is exported, in UCUM's notation, such as {@code s} or {@code By}; empty by default. */
    @CanIgnoreReturnValue
    public HistogramMetricBuilder setUnit(String metricUnit) {
        unit = Objects.requireNonNull(metricUnit, "metricUnit");
        return this;
    }

    /**
     * Sets what recorded values are divided by: 1e9 if nanoseconds are recorded, and seconds exported. It is 1
     * by default.
     *
     * @throws IllegalArgumentException if it is not positive and finite
     */
    @CanIgnoreReturnValue
    public HistogramMetricBuilder setDivisor(double by) {
        divisor = checkedDivisor(by);
        return this;
    }

    static double checkedDivisor(double by) {
        if (!(by > 0 && by < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "a divisor must be positive and finite, such as 1e9 from nanoseconds to seconds, not " + by);
        }
        return by;
    }

    /** Sets the attributes of all that is recorded in this histogram; there are none by default. */
    @CanIgnoreReturnValue
    public HistogramMetricBuilder setAttributes(Attributes all) {
        attributes = Objects.requireNonNull(all, "all");
        return this;
    }

    /**
     * Exports what the histogram records from now on. What it has recorded before is not exported: a point says when
     * its counts began, and that is now. The producer keeps the histogram reachable.
     *
     * @return what ends the export
     * @throws IllegalArgumentException if the same name is registered with another description or unit, or with the
     *     same attributes; if a name is registered that differs from this one in case only; or if two bounds are the
     *     same once they are divided, or one is infinite then
     */
    @CanIgnoreReturnValue
    public HistogramRegistration register() {
        List<Double> exported = new ArrayList<>(bounds.length);
        for (long bound : bounds) {
            double next = bound / divisor;
            if (!Double.isFinite(next)) {
                throw new IllegalArgumentException("the bound " + bound + " of the metric " + name
                        + " is out of range once it is divided by " + divisor);
            }
            if (!exported.isEmpty() && next <= exported.getLast()) {
                throw new IllegalArgumentException("the bounds of the metric " + name + " do not rise once they are"
                        + " divided by " + divisor + ": " + next + " is there twice");
            }
            exported.add(next);
        }
        HistogramSeries series =
                new HistogramSeries(name, description, unit, attributes, histogram, divisor, exported, producer.now());
        producer.add(series);
        return () -> producer.remove(series);
    }
}

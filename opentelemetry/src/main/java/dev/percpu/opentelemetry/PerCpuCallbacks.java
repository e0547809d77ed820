package dev.percpu.opentelemetry;

import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.ObservableDoubleMeasurement;
import io.opentelemetry.api.metrics.ObservableLongMeasurement;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Callbacks for OpenTelemetry's asynchronous instruments, which report what per-CPU counters have counted. The program
 * counts in the counter; the SDK asks for the sum each time it collects.
 *
 * <pre>{@code
 * static final PerCpuCounter REQUESTS = new PerCpuCounter();
 *
 * meter.counterBuilder("requests").buildWithCallback(PerCpuCallbacks.sum(REQUESTS, Attributes.empty()));
 * }</pre>
 *
 * <p>The SDK has its views, its temporality and its limits for them as for any asynchronous instrument. Use a {@code
 * counterBuilder} for what only grows, and an {@code upDownCounterBuilder} for the rest. Do not reset the counter: the
 * SDK takes what is reported for the total since the start. It reports all that the counter has ever counted, also
 * before the instrument was built. So do not close an instrument and build it again over the same counter: readers
 * would add the same total once more.
 *
 * <p>The callback keeps the counter reachable until the instrument is closed.
 */
public final class PerCpuCallbacks {

    private PerCpuCallbacks() {}

    /** Reports the counter's sum, with the given attributes. */
    public static Consumer<ObservableLongMeasurement> sum(PerCpuCounter counter, Attributes attributes) {
        Objects.requireNonNull(counter, "counter");
        Objects.requireNonNull(attributes, "attributes");
        return measurement -> measurement.record(counter.sum(), attributes);
    }

    /**
     * Reports the counter's sum, with the given attributes, to an instrument of doubles ({@code ofDoubles()}). Do not
     * add NaN to the counter: its sum stays NaN, and the SDK drops that in each collection.
     */
    public static Consumer<ObservableDoubleMeasurement> sum(PerCpuDoubleCounter counter, Attributes attributes) {
        Objects.requireNonNull(counter, "counter");
        Objects.requireNonNull(attributes, "attributes");
        return measurement -> measurement.record(counter.sum(), attributes);
    }

    /**
     * Reports what the accumulator has, with the given attributes; for a gauge that has been told {@code ofLongs()},
     * such as the largest value so far. Nothing is reported as long as the accumulator has its {@link
     * PerCpuAccumulator#identity identity}: nothing has been accumulated then, or nothing that counts.
     */
    public static Consumer<ObservableLongMeasurement> value(PerCpuAccumulator accumulator, Attributes attributes) {
        Objects.requireNonNull(accumulator, "accumulator");
        Objects.requireNonNull(attributes, "attributes");
        return measurement -> {
            long value = accumulator.get();
            if (value != accumulator.identity()) {
                measurement.record(value, attributes);
            }
        };
    }

    /**
     * Reports what the accumulator has divided by a number, with the given attributes, to a gauge of doubles: the
     * largest value in seconds, for example, beside a histogram with the same {@link
     * HistogramMetricBuilder#setDivisor divisor}. Nothing is reported as long as the accumulator has its identity.
     *
     * @param divisor 1e9 if nanoseconds are accumulated, and seconds exported
     * @throws IllegalArgumentException if it is not positive and finite
     */
    public static Consumer<ObservableDoubleMeasurement> value(
            PerCpuAccumulator accumulator, double divisor, Attributes attributes) {
        Objects.requireNonNull(accumulator, "accumulator");
        Objects.requireNonNull(attributes, "attributes");
        double by = HistogramMetricBuilder.checkedDivisor(divisor);
        return measurement -> {
            long value = accumulator.get();
            if (value != accumulator.identity()) {
                measurement.record(value / by, attributes);
            }
        };
    }

    /**
     * Reports what the accumulator has, with the given attributes, to a gauge of doubles. Nothing is reported as long
     * as it has its identity.
     */
    public static Consumer<ObservableDoubleMeasurement> value(
            PerCpuDoubleAccumulator accumulator, Attributes attributes) {
        Objects.requireNonNull(accumulator, "accumulator");
        Objects.requireNonNull(attributes, "attributes");
        return measurement -> {
            double value = accumulator.get();
            if (Double.compare(value, accumulator.identity()) != 0) {
                measurement.record(value, attributes);
            }
        };
    }

    /**
     * Reports the sum of each of an array's counters. The array has a counter for each set of attributes that there can
     * be. The SDK keeps 1,999 sets for an instrument unless it is told otherwise, and puts the rest together.
     *
     * @param attributes those of each counter, by its index
     * @throws IllegalArgumentException if there are not as many as counters
     */
    public static Consumer<ObservableLongMeasurement> sums(PerCpuCounterArray counters, List<Attributes> attributes) {
        List<Attributes> byIndex = List.copyOf(attributes);
        if (byIndex.size() != counters.length()) {
            throw new IllegalArgumentException("each counter needs attributes of its own: there are "
                    + counters.length() + " counters, and attributes for " + byIndex.size());
        }
        return measurement -> {
            long[] sums = counters.sums();
            for (int index = 0; index < sums.length; index++) {
                measurement.record(sums[index], byIndex.get(index));
            }
        };
    }
}

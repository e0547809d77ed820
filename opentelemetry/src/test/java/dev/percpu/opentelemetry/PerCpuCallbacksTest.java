package dev.percpu.opentelemetry;

import static io.opentelemetry.sdk.testing.assertj.OpenTelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.metrics.ObservableLongCounter;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the SDK collects from the callbacks. */
class PerCpuCallbacksTest {

    private static final Attributes HELLO = Attributes.of(AttributeKey.stringKey("path"), "/hello");

    private final InMemoryMetricReader cumulative = InMemoryMetricReader.create();
    private final InMemoryMetricReader delta = InMemoryMetricReader.createDelta();
    private final SdkMeterProvider provider = SdkMeterProvider.builder()
            .registerMetricReader(cumulative)
            .registerMetricReader(delta)
            .build();
    private final Meter meter = provider.get("test");

    @AfterEach
    void closeProvider() {
        provider.close();
    }

    private static MetricData collectOne(InMemoryMetricReader reader) {
        Collection<MetricData> metrics = reader.collectAllMetrics();
        assertThat(metrics).hasSize(1);
        return metrics.iterator().next();
    }

    @Test
    void aCountersSumIsASumThatGrows() {
        PerCpuCounter counter = new PerCpuCounter();
        ObservableLongCounter instrument =
                meter.counterBuilder("requests").buildWithCallback(PerCpuCallbacks.sum(counter, HELLO));
        counter.add(3);
        assertThat(collectOne(cumulative))
                .hasName("requests")
                .hasLongSumSatisfying(sum -> sum.isMonotonic()
                        .isCumulative()
                        .hasPointsSatisfying(point -> point.hasValue(3).hasAttributes(HELLO)));
        assertThat(collectOne(delta))
                .hasLongSumSatisfying(sum -> sum.isDelta().hasPointsSatisfying(point -> point.hasValue(3)));
        counter.add(4);
        assertThat(collectOne(cumulative))
                .hasLongSumSatisfying(sum -> sum.hasPointsSatisfying(point -> point.hasValue(7)));
        assertThat(collectOne(delta)).hasLongSumSatisfying(sum -> sum.hasPointsSatisfying(point -> point.hasValue(4)));

        instrument.close();
        counter.increment();
        assertThat(cumulative.collectAllMetrics()).isEmpty();
    }

    @Test
    void aCounterThatGoesDownIsAnUpDownSum() {
        PerCpuCounter counter = new PerCpuCounter();
        meter.upDownCounterBuilder("active").buildWithCallback(PerCpuCallbacks.sum(counter, Attributes.empty()));
        counter.add(-5);
        assertThat(collectOne(cumulative))
                .hasLongSumSatisfying(sum -> sum.isNotMonotonic().hasPointsSatisfying(point -> point.hasValue(-5)));
    }

    /** The SDK does not check what an asynchronous counter reports: the page says so. */
    @Test
    void aCounterThatGoesDownIsCountedBackwardsThoughTheInstrumentOnlyGrows() {
        PerCpuCounter counter = new PerCpuCounter();
        meter.counterBuilder("requests").buildWithCallback(PerCpuCallbacks.sum(counter, HELLO));
        counter.add(5);
        assertThat(collectOne(delta)).hasLongSumSatisfying(sum -> sum.hasPointsSatisfying(point -> point.hasValue(5)));
        counter.add(-7);
        assertThat(collectOne(cumulative))
                .hasLongSumSatisfying(sum -> sum.isMonotonic().hasPointsSatisfying(point -> point.hasValue(-2)));
        assertThat(collectOne(delta)).hasLongSumSatisfying(sum -> sum.hasPointsSatisfying(point -> point.hasValue(-7)));
    }

    @Test
    void aDoubleCountersSumIsADoubleSum() {
        PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
        meter.counterBuilder("energy").ofDoubles().buildWithCallback(PerCpuCallbacks.sum(counter, HELLO));
        counter.add(0.25);
        counter.add(0.5);
        assertThat(collectOne(cumulative))
                .hasDoubleSumSatisfying(sum ->
                        sum.hasPointsSatisfying(point -> point.hasValue(0.75).hasAttributes(HELLO)));
    }

    /** The SDK's own counter drops the addition, and this one the sum: the page says so. */
    @Test
    void aCounterThatIsNotANumberIsNotReported() {
        PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
        meter.counterBuilder("ours").ofDoubles().buildWithCallback(PerCpuCallbacks.sum(counter, HELLO));
        DoubleCounter own = meter.counterBuilder("own").ofDoubles().build();
        for (double amount : new double[] {1, Double.NaN, 2}) {
            counter.add(amount);
            own.add(amount);
        }
        assertThat(collectOne(cumulative))
                .hasName("own")
                .hasDoubleSumSatisfying(sum -> sum.hasPointsSatisfying(point -> point.hasValue(3)));
        counter.reset();
        counter.add(4);
        assertThat(cumulative.collectAllMetrics())
                .extracting(MetricData::getName)
                .containsExactlyInAnyOrder("ours", "own");
    }

    @Test
    void anAccumulatorsValueIsAGauge() {
        PerCpuAccumulator slowest = new PerCpuAccumulator(Math::max, 0);
        meter.gaugeBuilder("slowest").ofLongs().buildWithCallback(PerCpuCallbacks.value(slowest, HELLO));
        slowest.accumulate(7);
        slowest.accumulate(5);
        assertThat(collectOne(cumulative))
                .hasLongGaugeSatisfying(gauge ->
                        gauge.hasPointsSatisfying(point -> point.hasValue(7).hasAttributes(HELLO)));
    }

    @Test
    void aDoubleAccumulatorsValueIsADoubleGauge() {
        PerCpuDoubleAccumulator hottest = new PerCpuDoubleAccumulator(Math::max, 0);
        meter.gaugeBuilder("hottest").buildWithCallback(PerCpuCallbacks.value(hottest, HELLO));
        hottest.accumulate(36.5);
        hottest.accumulate(36);
        assertThat(collectOne(cumulative))
                .hasDoubleGaugeSatisfying(gauge ->
                        gauge.hasPointsSatisfying(point -> point.hasValue(36.5).hasAttributes(HELLO)));
    }

    /** The greatest of no values would be the least number that there is. */
    @Test
    void anAccumulatorWithoutAValueIsNotReported() {
        PerCpuAccumulator slowest = PerCpuAccumulator.maximum();
        PerCpuAccumulator fastest = PerCpuAccumulator.minimum();
        PerCpuDoubleAccumulator coldest = new PerCpuDoubleAccumulator(Math::min, Double.POSITIVE_INFINITY);
        meter.gaugeBuilder("slowest").ofLongs().buildWithCallback(PerCpuCallbacks.value(slowest, HELLO));
        meter.gaugeBuilder("fastest").buildWithCallback(PerCpuCallbacks.value(fastest, 1e9, HELLO));
        meter.gaugeBuilder("coldest").buildWithCallback(PerCpuCallbacks.value(coldest, HELLO));
        assertThat(cumulative.collectAllMetrics()).isEmpty();

        slowest.accumulate(-7);
        fastest.accumulate(0);
        coldest.accumulate(-3.5);
        assertThat(cumulative.collectAllMetrics()).hasSize(3);
        slowest.reset();
        fastest.reset();
        coldest.reset();
        assertThat(cumulative.collectAllMetrics()).isEmpty();
    }

    /** A sum that begins with -0.0, which changes no other number, is 0.0 once that was added. */
    @Test
    void aZeroOfTheOtherSignThanTheIdentityIsReported() {
        PerCpuDoubleAccumulator sum = new PerCpuDoubleAccumulator(Double::sum, -0.0);
        meter.gaugeBuilder("sum").buildWithCallback(PerCpuCallbacks.value(sum, HELLO));
        assertThat(cumulative.collectAllMetrics()).isEmpty();
        sum.accumulate(0.0);
        assertThat(collectOne(cumulative))
                .hasDoubleGaugeSatisfying(gauge -> gauge.hasPointsSatisfying(point -> point.hasValue(0)));
    }

    /** Beside a histogram that is exported in seconds. */
    @Test
    void anAccumulatorOfNanosecondsIsAGaugeOfSeconds() {
        PerCpuAccumulator slowest = PerCpuAccumulator.maximum();
        meter.gaugeBuilder("slowest").setUnit("s").buildWithCallback(PerCpuCallbacks.value(slowest, 1e9, HELLO));
        slowest.accumulate(1_500_000_000);
        slowest.accumulate(7);
        assertThat(collectOne(cumulative))
                .hasUnit("s")
                .hasDoubleGaugeSatisfying(gauge ->
                        gauge.hasPointsSatisfying(point -> point.hasValue(1.5).hasAttributes(HELLO)));
        assertThatThrownBy(() -> PerCpuCallbacks.value(slowest, 0, HELLO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not 0");
    }

    @Test
    void anArrayHasAPointForEachCounter() {
        PerCpuCounterArray counters = new PerCpuCounterArray(2);
        Attributes bye = Attributes.of(AttributeKey.stringKey("path"), "/bye");
        List<Attributes> attributes = new ArrayList<>(List.of(HELLO, bye));
        meter.counterBuilder("requests").buildWithCallback(PerCpuCallbacks.sums(counters, attributes));
        // The list is the caller's, who may use it for something else.
        attributes.clear();
        counters.add(0, 10);
        counters.add(1, 20);
        assertThat(collectOne(cumulative))
                .hasLongSumSatisfying(sum -> sum.hasPointsSatisfying(
                        point -> point.hasValue(10).hasAttributes(HELLO),
                        point -> point.hasValue(20).hasAttributes(bye)));
    }

    /** The comment on {@code sums} says how many the SDK keeps. */
    @Test
    void theSdkKeepsSoManySetsOfAttributesAndPutsTheRestTogether() {
        PerCpuCounterArray counters = new PerCpuCounterArray(2_001);
        List<Attributes> attributes = IntStream.range(0, counters.length())
                .mapToObj(i -> Attributes.of(AttributeKey.longKey("i"), (long) i))
                .toList();
        meter.counterBuilder("requests").buildWithCallback(PerCpuCallbacks.sums(counters, attributes));
        counters.add(1_998, 1);
        counters.add(1_999, 20);
        counters.add(2_000, 300);
        Map<Attributes, Long> values = new HashMap<>();
        for (LongPointData point : collectOne(cumulative).getLongSumData().getPoints()) {
            values.put(point.getAttributes(), point.getValue());
        }
        assertThat(values)
                .hasSize(2_000)
                .containsEntry(attributes.get(1_998), 1L)
                .containsEntry(Attributes.of(AttributeKey.booleanKey("otel.metric.overflow"), true), 320L);
    }

    @Test
    void anArrayNeedsAttributesForEachCounter() {
        PerCpuCounterArray counters = new PerCpuCounterArray(3);
        for (int given : new int[] {1, 4}) {
            assertThatThrownBy(() -> PerCpuCallbacks.sums(counters, Collections.nCopies(given, HELLO)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("3 counters, and attributes for " + given);
        }
    }
}

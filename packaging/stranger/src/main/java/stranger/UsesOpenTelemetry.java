package stranger;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.opentelemetry.PerCpuCallbacks;
import dev.percpu.opentelemetry.PerCpuMetricProducer;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.CollectionRegistration;
import io.opentelemetry.sdk.metrics.export.MetricReader;

final class UsesOpenTelemetry {

    private UsesOpenTelemetry() {}

    static String run() throws InterruptedException {
        PerCpuCounter requests = new PerCpuCounter();
        PerCpuHistogram sizes = PerCpuHistogram.builder().bounds(10, 100).build();
        PerCpuMetricProducer producer = PerCpuMetricProducer.create("stranger");
        producer.histogram("sizes", sizes).register();
        Reader reader = new Reader();
        try (SdkMeterProvider provider = SdkMeterProvider.builder()
                .registerMetricReader(reader)
                .registerMetricProducer(producer)
                .build()) {
            provider.get("stranger")
                    .counterBuilder("requests")
                    .buildWithCallback(PerCpuCallbacks.sum(requests, Attributes.empty()));
            Main.inThreads(() -> {
                requests.increment();
                sizes.record(7);
            });
            return reader.totals();
        }
    }

    private static final class Reader implements MetricReader {
        private CollectionRegistration registration = CollectionRegistration.noop();

        String totals() {
            long counted = 0;
            long recorded = 0;
            for (MetricData metric : registration.collectAllMetrics()) {
                switch (metric.getName()) {
                    case "requests" ->
                        counted += metric.getLongSumData().getPoints().iterator().next().getValue();
                    case "sizes" ->
                        recorded += metric.getHistogramData().getPoints().iterator().next().getCounts().getFirst();
                    default -> throw new IllegalStateException("unexpected: " + metric);
                }
            }
            return counted + " counted, " + recorded + " recorded";
        }

        @Override
        public void register(CollectionRegistration collection) {
            registration = collection;
        }

        @Override
        public AggregationTemporality getAggregationTemporality(InstrumentType type) {
            return AggregationTemporality.CUMULATIVE;
        }

        @Override
        public CompletableResultCode forceFlush() {
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
        }
    }
}

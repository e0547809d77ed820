package stranger;

import dev.percpu.prometheus.Counter;
import dev.percpu.prometheus.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;

final class UsesPrometheus {

    private UsesPrometheus() {}

    static String run() throws InterruptedException {
        PrometheusRegistry registry = new PrometheusRegistry();
        Counter requests = Counter.builder().name("requests").register(registry);
        Histogram seconds = Histogram.builder().name("seconds").register(registry);
        Main.inThreads(() -> {
            requests.inc();
            seconds.observe(0.25);
        });
        long counted = 0;
        long observed = 0;
        for (MetricSnapshot metric : registry.scrape()) {
            switch (metric) {
                case CounterSnapshot counter ->
                    counted += (long) counter.getDataPoints().getFirst().getValue();
                case HistogramSnapshot histogram ->
                    observed += histogram.getDataPoints().getFirst().getCount();
                default -> throw new IllegalStateException("unexpected: " + metric);
            }
        }
        return counted + " counted, " + observed + " observed";
    }
}

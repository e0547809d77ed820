package stranger;

import dev.percpu.micrometer.PerCpuMeterRegistry;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.TimeUnit;

final class UsesMicrometer {

    private UsesMicrometer() {}

    static String run() throws InterruptedException {
        MeterRegistry registry = new PerCpuMeterRegistry(new SimpleMeterRegistry());
        try {
            Counter requests = registry.counter("requests");
            Timer latency = registry.timer("latency");
            Main.inThreads(() -> {
                requests.increment();
                latency.record(7, TimeUnit.NANOSECONDS);
            });
            return (long) requests.count() + " counted, " + latency.count() + " timed";
        } finally {
            registry.close();
        }
    }
}

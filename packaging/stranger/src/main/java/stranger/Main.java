package stranger;

import dev.percpu.PerCpuRuntime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** Uses each of Percpu's artifacts from several threads, and prints a line for each. */
public final class Main {

    static final int THREADS = 4;
    static final int TIMES = 25_000;

    private Main() {}

    public static void main(String[] args) throws Exception {
        // One line for each artifact, in the order of expected.txt.
        Map<String, Callable<String>> uses = new LinkedHashMap<>();
        uses.put("percpu-core", UsesCore::run);
        uses.put("percpu-native", UsesNative::run);
        uses.put("percpu-hdrhistogram", UsesHdrHistogram::run);
        uses.put("percpu-caffeine", UsesCaffeine::run);
        uses.put("percpu-opentelemetry", UsesOpenTelemetry::run);
        uses.put("percpu-jackson", UsesJackson::run);
        uses.put("percpu-jackson3", UsesJackson3::run);
        uses.put("percpu-prometheus", UsesPrometheus::run);
        uses.put("percpu-micrometer", UsesMicrometer::run);

        System.out.println("back end: " + PerCpuRuntime.backend());
        for (Map.Entry<String, Callable<String>> use : uses.entrySet()) {
            System.out.println(use.getKey() + ": " + use.getValue().call());
        }
        // Why it is that one differs from machine to machine, so it is no part of what is compared.
        System.err.println("reason: " + PerCpuRuntime.backendReason());
    }

    /** Runs the action {@link #TIMES} times in each of {@link #THREADS} threads, half of them virtual. */
    static void inThreads(Runnable action) throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            Thread.Builder builder = i % 2 == 0 ? Thread.ofPlatform() : Thread.ofVirtual();
            threads.add(builder.start(() -> {
                for (int n = 0; n < TIMES; n++) {
                    action.run();
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }
}

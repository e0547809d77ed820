package dev.percpu.example;

import dev.percpu.cpu.CpuMask;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What each CPU has done in each of the last seconds: a thread reads the totals once a second. */
final class History implements AutoCloseable {
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final int MOST_SAMPLES = 61;

    private final Metrics metrics;
    private final int[] cpus = CpuMask.usable().ids().toArray();
    private final Deque<Sample> samples = new ArrayDeque<>();
    private final Thread sampler = Thread.ofVirtual().name("history").unstarted(this::run);

    /** Totals at some time. */
    private static final class Sample {
        private final long nanoTime;
        private final long[] requests;
        private final long[] nanos;

        Sample(long nanoTime, Metrics metrics) {
            this.nanoTime = nanoTime;
            requests = metrics.requestsByCpu();
            nanos = metrics.nanosByCpu();
        }
    }

    History(Metrics metrics) {
        this.metrics = metrics;
    }

    void start() {
        sampler.start();
    }

    private void run() {
        try {
            while (true) {
                sample(System.nanoTime());
                Thread.sleep(INTERVAL);
            }
        } catch (InterruptedException e) {
            // The server is closed.
        }
    }

    /** Reads the totals. Tests choose the time. */
    void sample(long nanoTime) {
        Sample sample = new Sample(nanoTime, metrics);
        synchronized (samples) {
            samples.addLast(sample);
            if (samples.size() > MOST_SAMPLES) {
                samples.removeFirst();
            }
        }
    }

    /**
     * For each CPU that can run this process: the requests in each second, and how many microseconds one took, from the
     * oldest on.
     */
    String json() {
        List<Sample> all;
        synchronized (samples) {
            all = new ArrayList<>(samples);
        }
        return Arrays.stream(cpus)
                .mapToObj(cpu -> String.format(Locale.ROOT, """
                        {"cpu": %d, "rate": %s, "micros": %s}""", cpu, rates(all, cpu), micros(all, cpu)))
                .collect(Collectors.joining(",\n", "[", "]\n"));
    }

    private static List<Long> rates(List<Sample> all, int cpu) {
        List<Long> rates = new ArrayList<>();
        for (int i = 1; i < all.size(); i++) {
            long requests = all.get(i).requests[cpu] - all.get(i - 1).requests[cpu];
            double seconds = (all.get(i).nanoTime - all.get(i - 1).nanoTime) / 1e9;
            rates.add(Math.round(requests / seconds));
        }
        return rates;
    }

    /** Null where there was no request. */
    private static List<@Nullable Long> micros(List<Sample> all, int cpu) {
        List<@Nullable Long> micros = new ArrayList<>();
        for (int i = 1; i < all.size(); i++) {
            long requests = all.get(i).requests[cpu] - all.get(i - 1).requests[cpu];
            long nanos = all.get(i).nanos[cpu] - all.get(i - 1).nanos[cpu];
            micros.add(requests == 0 ? null : Math.round(nanos / 1000.0 / requests));
        }
        return micros;
    }

    @Override
    public void close() {
        sampler.interrupt();
        try {
            sampler.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

package dev.percpu.benchmarks.programs;

import dev.percpu.benchmarks.programs.Timing.Phase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntFunction;
import org.HdrHistogram.Histogram;

/** Some threads that do the same all the time. Each has a histogram for itself, and nothing in common with others. */
final class Load {
    private static final int DIGITS = 2;

    private Load() {}

    /** What a thread does again and again. */
    @FunctionalInterface
    interface Step {
        void run();
    }

    /**
     * Runs a step in each of several platform threads, in a row, and times each of them.
     *
     * @param operations how many operations a step makes
     */
    static Result run(int threads, int operations, Timing timing, IntFunction<Step> steps) throws InterruptedException {
        AtomicReferenceArray<Histogram> histograms = new AtomicReferenceArray<>(threads);
        List<Thread> running = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            int number = i;
            running.add(Thread.ofPlatform().start(() -> {
                Step step = steps.apply(number);
                histograms.set(number, timed(step, timing));
            }));
        }
        long nanos = timing.pass();
        Histogram all = new Histogram(DIGITS);
        for (int i = 0; i < threads; i++) {
            running.get(i).join();
            all.add(histograms.get(i));
        }
        return result(all, operations, nanos);
    }

    /** What was measured. */
    private static Histogram timed(Step step, Timing timing) {
        Histogram histogram = new Histogram(DIGITS);
        long before = System.nanoTime();
        for (Phase phase = timing.phase(); phase != Phase.OVER; phase = timing.phase()) {
            step.run();
            long after = System.nanoTime();
            if (phase == Phase.MEASUREMENT) {
                histogram.recordValue(after - before);
            }
            before = after;
        }
        return histogram;
    }

    static Result result(Histogram steps, int operations, long nanos) {
        double seconds = (double) nanos / Duration.ofSeconds(1).toNanos();
        return new Result(
                (double) steps.getTotalCount() * operations / seconds,
                steps.getValueAtPercentile(50),
                steps.getValueAtPercentile(99));
    }
}

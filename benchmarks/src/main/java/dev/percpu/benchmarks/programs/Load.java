package dev.percpu.benchmarks.programs;

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
    static Result run(int threads, int operations, Duration time, IntFunction<Step> steps) throws InterruptedException {
        long start = System.nanoTime();
        long measured = start + time.toNanos() / 2;
        long end = start + time.toNanos();
        AtomicReferenceArray<Histogram> histograms = new AtomicReferenceArray<>(threads);
        List<Thread> running = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            int number = i;
            running.add(Thread.ofPlatform().start(() -> {
                Step step = steps.apply(number);
                histograms.set(number, timed(step, measured, end));
            }));
        }
        Histogram all = new Histogram(DIGITS);
        for (int i = 0; i < threads; i++) {
            running.get(i).join();
            all.add(histograms.get(i));
        }
        return result(all, operations, end - measured);
    }

    /** What was measured between two times of {@link System#nanoTime}. */
    private static Histogram timed(Step step, long measured, long end) {
        Histogram histogram = new Histogram(DIGITS);
        long before = System.nanoTime();
        while (before - end < 0) {
            step.run();
            long after = System.nanoTime();
            if (before - measured >= 0) {
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

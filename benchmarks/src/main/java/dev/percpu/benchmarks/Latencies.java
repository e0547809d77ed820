package dev.percpu.benchmarks;

import java.util.Random;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What a thread records into a histogram, one after the other: latencies as a server has them, most of them near a
 * millisecond and a few up to seconds. They are drawn beforehand, and there are enough of them that no processor
 * predicts which bucket comes next.
 */
@State(Scope.Thread)
public class Latencies {
    private static final int COUNT = 1 << 14;
    private static final double MEDIAN_NANOS = 1e6;
    private static final double SPREAD = 1.5;
    private static final double NANOS_PER_SECOND = 1e9;

    private final long[] nanos = new long[COUNT];
    private final double[] seconds = new double[COUNT];
    private int next;

    @Setup
    public void draw() {
        // Each thread goes through its own values, and each contender through the same ones.
        Random random = new Random(1);
        for (int i = 0; i < COUNT; i++) {
            nanos[i] = Math.round(MEDIAN_NANOS * Math.exp(SPREAD * random.nextGaussian()));
            seconds[i] = nanos[i] / NANOS_PER_SECOND;
        }
    }

    long nextNanos() {
        return nanos[next++ & (COUNT - 1)];
    }

    /** For those that take seconds, as floating point numbers. */
    double nextSeconds() {
        return seconds[next++ & (COUNT - 1)];
    }
}

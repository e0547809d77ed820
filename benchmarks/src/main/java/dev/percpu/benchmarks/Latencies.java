package dev.percpu.benchmarks;

import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.LongStream;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What a thread records into a histogram, one after the other: latencies as a server has them, most of them near a
 * millisecond and a few up to seconds. They are drawn beforehand, so a processor can learn some of them by heart: up to
 * a fifth of which bucket comes next. The rest it cannot predict.
 */
@State(Scope.Thread)
public class Latencies {
    private static final int COUNT = 1 << 14;
    private static final double MEDIAN_NANOS = 1e6;
    private static final double SPREAD = 1.5;
    private static final double NANOS_PER_SECOND = 1e9;

    private static final Queue<Latencies> ALL = new ConcurrentLinkedQueue<>();

    private final long[] nanos = new long[COUNT];
    private final double[] seconds = new double[COUNT];
    private long next;

    @Setup
    public void draw() {
        ALL.add(this);
        // Each thread goes through its own values, and each contender through the same ones.
        Random random = new Random(1);
        for (int i = 0; i < COUNT; i++) {
            nanos[i] = Math.round(MEDIAN_NANOS * Math.exp(SPREAD * random.nextGaussian()));
            seconds[i] = nanos[i] / NANOS_PER_SECOND;
        }
    }

    long nextNanos() {
        return nanos[(int) next++ & (COUNT - 1)];
    }

    /** One of them, for threads that share them. It is in none of the sums below. */
    long nanos(int index) {
        return nanos[index & (COUNT - 1)];
    }

    /** For those that take seconds, as floating point numbers. */
    double nextSeconds() {
        return seconds[(int) next++ & (COUNT - 1)];
    }

    /** The sum of what all threads were given. Only for when none is running. */
    static long sum() {
        return ALL.stream().mapToLong(Latencies::given).sum();
    }

    /** The same in seconds, as far as it can be told by a double. */
    static double sumInSeconds() {
        return sum() / NANOS_PER_SECOND;
    }

    /** The greatest that a thread was given; {@link Long#MIN_VALUE} if none was. */
    static long greatest() {
        return different().max().orElse(Long.MIN_VALUE);
    }

    /** The same in seconds, exactly as it was given. */
    static double greatestInSeconds() {
        return greatest() / NANOS_PER_SECOND;
    }

    /** The least that a thread was given; {@link Long#MAX_VALUE} if none was. */
    static long least() {
        return different().min().orElse(Long.MAX_VALUE);
    }

    private static LongStream different() {
        return ALL.stream()
                .flatMapToLong(latencies -> LongStream.of(latencies.nanos).limit(latencies.next));
    }

    private long given() {
        return next / COUNT * LongStream.of(nanos).sum()
                + LongStream.of(nanos).limit(next % COUNT).sum();
    }
}

package dev.percpu.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What all comparisons have in common: average time in nanoseconds, and one state that all threads share, so that
 * {@code -t 2} shows what contention costs. Options on the command line override the rest.
 *
 * <p>Each can {@linkplain #check check} its trial: a lost update, or an object left behind, makes it fail.
 *
 * <p>The forks are given native access, since JMH starts them with a class path, where no manifest counts. Without it
 * the atomic back end would be measured. Their threads are {@link PlatformThreads}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(
        value = 3,
        jvmArgsAppend = {
            "--enable-native-access=ALL-UNNAMED",
            "-Djmh.executor=CUSTOM",
            "-Djmh.executor.class=dev.percpu.benchmarks.PlatformThreads"
        })
@Warmup(iterations = 5, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
public abstract class Comparison {
    /** By how much a sum of many doubles may be wrong: far more than it is, and far less than a lost part of it. */
    static final double ROUNDING = 1e-6;

    /** Tells who can check this trial. */
    @Setup
    public void watch() {
        Exactness.watch(this);
    }

    /**
     * Checks after a trial, when no thread is running, that no update was lost and nothing was left behind.
     *
     * @param benchmark the name of the method that was measured
     * @param operations how many operations all threads made, those of the warm-up included
     * @throws IllegalStateException if something was
     */
    abstract void check(String benchmark, long operations);

    /** Says that a number is not what it must be. */
    static void checkEqual(String what, long expected, long found) {
        if (found != expected) {
            throw new IllegalStateException(what + ": " + found + ", and not " + expected);
        }
    }

    /** Says that a number is further from what it must be than rounding explains. */
    static void checkNear(String what, double expected, double found, double relativeError) {
        // Not the other way round, as a NaN is never near.
        if (!(Math.abs(found - expected) <= relativeError * Math.abs(expected))) {
            throw new IllegalStateException(what + ": " + found + ", and not about " + expected);
        }
    }
}

package dev.percpu.benchmarks;

import org.openjdk.jmh.annotations.Setup;

/** A comparison of ways to count operations, which are to be exact. */
public abstract class CountingComparison extends Comparison {
    /** The narrowest number wraps at 32 bits. */
    private static final long NARROWEST = 0xFFFF_FFFFL;

    private long before;

    /** What all contenders together have counted; the measured one is the only one that counts. */
    abstract long total();

    /** Whether a benchmark counts its operations. */
    boolean counts(String benchmark) {
        return true;
    }

    /** Static variables may have counted in an earlier trial, if there are no forks. */
    @Setup
    public void remember() {
        before = total();
    }

    @Override
    void check(String benchmark, long operations) {
        long expected = counts(benchmark) ? operations : 0;
        checkEqual("operations counted", expected & NARROWEST, (total() - before) & NARROWEST);
    }
}

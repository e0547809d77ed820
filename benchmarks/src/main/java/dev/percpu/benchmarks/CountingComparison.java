package dev.percpu.benchmarks;

import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** A comparison of ways to count calls, which are to be exact. */
public abstract class CountingComparison extends Comparison {
    private long before;

    /** What all contenders together have counted; the measured one is the only one that counts. */
    abstract long total();

    @Setup
    public void remember() {
        before = total();
    }

    /** Checks that each call was counted once, of the warm-up too. */
    @TearDown
    public void checkExactness() {
        long calls = Calls.takeTotal();
        long counted = total() - before;
        // The narrowest number wraps at 32 bits.
        if ((int) counted != (int) calls) {
            throw new IllegalStateException("counted " + counted + " of " + calls + " calls");
        }
    }
}

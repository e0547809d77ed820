package dev.percpu.benchmarks;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * How many times one thread has called the measured method, so that the tear-down can check that no call was lost.
 *
 * <p>The count is a plain field that only its thread writes. It adds 0.1 ns or less to a call, since the processor does
 * it beside the rest, and it adds that to every contender.
 */
@State(Scope.Thread)
public class Calls {
    private static final Queue<Calls> ALL = new ConcurrentLinkedQueue<>();

    private long count;

    @Setup
    public void enlist() {
        ALL.add(this);
    }

    /** Counts one call. */
    void count() {
        count++;
    }

    /** The calls of all threads since it was last asked. Only for when the threads do not call: JMH sees to that. */
    static long takeTotal() {
        long total = 0;
        for (Calls calls = ALL.poll(); calls != null; calls = ALL.poll()) {
            total += calls.count;
        }
        return total;
    }
}

package dev.percpu.benchmarks;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.cpu.CpuMask;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The restartable sequence of a 64-bit addition inlined in a loop in C: the floor for every way of calling it.
 *
 * <p>It is a state of its own, so that only the benchmarks that use it need what {@link SequenceInC} needs.
 */
@State(Scope.Benchmark)
public class InlinedSequence {
    /** How many additions one call makes: so many that the call itself costs nothing. */
    static final int OPERATIONS = 10_000;

    private final MethodHandle addMany = SequenceInC.addMany();
    private final MemorySegment slots =
            Arena.ofAuto().allocate((long) CpuMask.capacity() << SequenceInC.SHIFT, 1L << SequenceInC.SHIFT);
    private final LongAdder calls = new LongAdder();

    /** Adds 1 to the current CPU's slot, {@link #OPERATIONS} times. */
    void add() {
        long done;
        try {
            done = (long) addMany.invokeExact(slots, 1L, (long) OPERATIONS);
        } catch (Throwable t) {
            throw new AssertionError("the C function threw", t);
        }
        if (done != OPERATIONS) {
            throw new IllegalStateException("the kernel gives this thread no CPU id");
        }
        calls.increment();
    }

    /** Checks that each addition was made once. The calls are counted here, one count for many additions. */
    @TearDown
    public void checkExactness() {
        long counted = 0;
        for (int cpu = 0; cpu < CpuMask.capacity(); cpu++) {
            counted += slots.get(JAVA_LONG, (long) cpu << SequenceInC.SHIFT);
        }
        if (counted != calls.sum() * OPERATIONS) {
            throw new IllegalStateException(
                    "the sequence in C counted " + counted + " of " + calls.sum() * OPERATIONS + " additions");
        }
    }
}

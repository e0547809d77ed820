package dev.percpu.concurrent;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.protocol.Gate;
import dev.percpu.internal.protocol.GatedNumbers;
import java.io.Serial;
import java.lang.ref.Reference;

/**
 * Numbers that a reset takes away from their CPUs, for kinds of numbers from which it cannot subtract. Each CPU's
 * number lies behind a gate. While the gate is shut, updates go to the spare slot by atomic instructions, so no
 * update waits.
 */
abstract class GatedNumber extends AreaNumber {
    private static final GatedNumbers GATED_NUMBERS = GatedNumbers.CURRENT;

    @Serial
    private static final long serialVersionUID = 1;

    static {
        // Not in the first reset, which may come when the heap is full.
        Gate.initialize();
    }

    GatedNumber(String owner, int bytes) {
        super(owner, bytes, Long.BYTES);
    }

    /**
     * Takes what is in all numbers, the spare slot last, and leaves zeros.
     *
     * <pre>
     *   taking thread R                           a thread U on CPU 1
     *                                             1. in its sequence: gate open, loads 4
     *   2. shuts the gate, restarts sequences
     *                                             3. starts over: gate shut, adds to the spare slot
     *   4. CPU 1: 4 to 0
     * </pre>
     *
     * <p>Without the gate, U's store of 5 could follow 4, and bring back what R took. If U commits before 2, R sees
     * that in 4. If R has taken the spare slot before 3, the update is in the next result. So each update is in exactly
     * one result. The lock keeps a second R from opening the gate while the first one takes numbers.
     */
    final long[] takeAll() {
        long[] taken = new long[Area.CPUS + 1];
        takeAll(taken);
        return taken;
    }

    /**
     * Does the same, and puts what it takes into an array of zeros. After an error, the array has what was taken
     * before it.
     *
     * @param taken for each CPU, and the spare slot
     */
    final synchronized void takeAll(long[] taken) {
        try {
            GATED_NUMBERS.shut(position());
            try {
                for (int cpu = 0; cpu <= Area.CPUS; cpu++) {
                    taken[cpu] = GATED_NUMBERS.exchange(cpu, position(), 0);
                }
            } finally {
                Gate.open(position());
            }
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Sets the spare slot if it has the expected value. */
    final boolean compareAndSetSpare(long expected, long value) {
        return Area.LONG.compareAndSet(Area.MEMORY, offset(Area.SPARE), expected, value);
    }
}

package dev.percpu.concurrent;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.protocol.Gate;
import dev.percpu.internal.protocol.GatedNumbers;
import java.io.Serial;
import java.lang.ref.Reference;

/**
 * Numbers that can be taken away from their CPUs, for what a reset cannot subtract: each CPU's number lies behind a
 * gate. While it is shut, updates go to the spare slot, atomically, so nobody ever waits.
 */
abstract class GatedNumber extends AreaNumber {
    private static final GatedNumbers GATED_NUMBERS = GatedNumbers.CURRENT;

    @Serial
    private static final long serialVersionUID = 1;

    GatedNumber(String owner) {
        super(owner, Gate.BYTES, Long.BYTES);
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
     * <p>Were there no gate, U's store of 5 could follow 4, and what R took would be back. If U commits before 2, R
     * sees it in 4. If R has taken the spare slot before 3, the update is in the next result. So each update is in
     * exactly one. The lock keeps a second R from opening the gate while the first one takes.
     */
    final long[] takeAll() {
        long[] taken = new long[Area.CPUS + 1];
        takeAll(taken);
        return taken;
    }

    /**
     * Does the same, and puts what it takes into an array of zeros. After an error, that has what was taken by then.
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

    /** Sets the spare slot if it is what is expected. */
    final boolean compareAndSetSpare(long expected, long value) {
        return Area.LONG.compareAndSet(Area.MEMORY, offset(Area.SPARE), expected, value);
    }
}

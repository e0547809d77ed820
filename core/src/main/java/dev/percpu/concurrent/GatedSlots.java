package dev.percpu.concurrent;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.code.Sequence;
import java.io.Serial;
import java.lang.ref.Reference;

/**
 * Numbers that can be taken away from their CPUs, for what a reset cannot subtract: each CPU's number lies behind a
 * gate. While it is shut, updates go to nobody's number, which is updated atomically, so nobody ever waits.
 */
abstract class GatedSlots extends PerCpuSlots {
    /** The number, and in the place of no CPU the gate behind it. */
    private static final int BYTES = (int) Sequence.GATE + Long.BYTES;

    @Serial
    private static final long serialVersionUID = 1;

    GatedSlots(String owner) {
        super(owner, BYTES, Long.BYTES);
    }

    /**
     * Takes what is in all numbers, nobody's last, and leaves zeros.
     *
     * <pre>
     *   taking thread R                           a thread U on CPU 1
     *                                             1. in its sequence: gate open, loads 4
     *   2. shuts the gate, restarts sequences
     *                                             3. starts over: gate shut, adds to nobody's number
     *   4. CPU 1: 4 to 0
     * </pre>
     *
     * <p>Were there no gate, U's store of 5 could follow 4, and what R took would be back. If U commits before 2, R sees
     * it in 4. If R has taken nobody's number before 3, the update is in the next result. So each update is in exactly
     * one. The lock keeps a second R from opening the gate while the first one takes.
     */
    final synchronized long[] takeAll() {
        long[] taken = new long[Area.CPUS + 1];
        try {
            BACKEND.shut(position());
            try {
                for (int cpu = 0; cpu <= Area.CPUS; cpu++) {
                    taken[cpu] = BACKEND.exchange(cpu, position(), 0);
                }
            } finally {
                Area.LONG.setVolatile(Area.MEMORY, Area.offset(NOBODY, position() + Sequence.GATE), 0L);
            }
        } finally {
            Reference.reachabilityFence(this);
        }
        return taken;
    }

    /** Sets nobody's number, if it is the expected one. */
    final boolean compareAndSetNobodys(long expected, long value) {
        return Area.LONG.compareAndSet(Area.MEMORY, offset(NOBODY), expected, value);
    }
}

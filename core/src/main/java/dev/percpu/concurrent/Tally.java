package dev.percpu.concurrent;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.backend.Backend;
import dev.percpu.internal.backend.Backends;
import java.lang.ref.Reference;

/**
 * A count that each CPU keeps for itself until it is closed: then no addition succeeds any more, and what all of them came
 * to is known exactly. It is what reference counts and read locks are made of.
 *
 * <p>An addition looks at a gate and adds, in one restartable sequence. Closing shuts the gate, and then restarts the
 * sequences in flight on all CPUs: those that had seen it open look again. That costs a system call, and interrupts the
 * other CPUs for a moment.
 */
final class Tally {
    private static final Backend BACKEND = Backends.current();

    private static final int GATE = Long.BYTES;
    private static final int PIECE_BYTES = GATE + Long.BYTES;

    private final long position;

    /**
     * The gate lies in the place of no CPU, where hardly anything is ever written: beside a CPU's counts it would move
     * between caches with each of their updates, and everyone reads it all the time.
     */
    private final long gate;

    Tally(String owner) {
        position = Area.allocateFor(this, PIECE_BYTES, Long.BYTES, owner);
        gate = Area.offset(Area.CPUS, position + GATE);
    }

    /** Adds to the current CPU's count, in order with nothing else; false if the tally is closed. */
    boolean add(long delta) {
        try {
            return BACKEND.addIfOpen(position, delta, gate);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Closes it. What was done before any successful addition happens before the return. One thread at a time may close
     * and open.
     *
     * @return the sum of all successful additions since it was opened
     */
    long close() {
        try {
            return BACKEND.close(position, gate);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Opens it again, with a count of 0. */
    void open() {
        try {
            BACKEND.open(position, gate);
        } finally {
            Reference.reachabilityFence(this);
        }
    }
}

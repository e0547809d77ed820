package dev.percpu.concurrent;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.protocol.Gate;
import dev.percpu.internal.protocol.OwnTallies;
import java.lang.ref.Reference;

/**
 * A count that each CPU keeps for itself until it is closed: then no addition succeeds any more, and what all of them
 * came to is known exactly. Reference counts and read locks are made of it.
 *
 * <p>An addition looks at a gate and adds, in one restartable sequence, or in the thread's own place. Closing shuts
 * the gate, and then restarts the sequences in flight on all CPUs: those that had seen it open look again. That
 * costs a system call, and interrupts the other CPUs for a moment.
 */
final class Tally {
    private final long position;

    Tally(String owner) {
        position = Area.allocateFor(this, Gate.BYTES, Long.BYTES, owner);
    }

    /** Adds to the current CPU's count, in order with nothing else; false if the tally is closed. */
    boolean add(long delta) {
        try {
            return OwnTallies.add(position, delta);
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
            return OwnTallies.close(position);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Opens it again, with a count of 0. */
    void open() {
        try {
            OwnTallies.open(position);
        } finally {
            Reference.reachabilityFence(this);
        }
    }
}

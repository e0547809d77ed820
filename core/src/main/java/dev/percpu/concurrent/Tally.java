package dev.percpu.concurrent;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.protocol.OwnTallies;
import java.lang.ref.Reference;

/**
 * A count that each CPU keeps for itself until it is closed: then no addition succeeds any more, and what all of them
 * came to is known exactly. Reference counts and read locks are made of it.
 *
 * <p>An addition looks at a gate and adds, in one restartable sequence, or in the thread's own place. Closing shuts
 * the gate, and then restarts the sequences in flight on all CPUs: those that had seen it open look again. That
 * costs a system call, and interrupts the other CPUs for a moment.
 *
 * <p>Its monitor is the lock of {@link OwnTallies}.
 */
final class Tally {
    static {
        // Not in the first addition, which may come when the heap is full.
        OwnTallies.initialize();
    }

    private final long position;

    /** Makes a tally that is open. */
    Tally(String owner) {
        position = Area.allocateFor(this, OwnTallies.BYTES, Long.BYTES, owner);
    }

    /**
     * Makes a tally that counts as closed: {@link #addInOwnPlace} fails until it is opened, and nobody calls {@link
     * #addOnCpu} before that.
     */
    static Tally shut(String owner) {
        Tally tally = new Tally(owner);
        OwnTallies.beginShut(tally.position);
        return tally;
    }

    /** Adds to a count of the current thread or CPU, in order with nothing else; false if the tally is closed. */
    boolean add(long delta) {
        return addInOwnPlace(delta) || addOnCpu(delta);
    }

    /** Adds in the thread's own place; false if it has none, or the tally is closed. */
    boolean addInOwnPlace(long delta) {
        try {
            return OwnTallies.addInOwnPlace(position, delta, this);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Adds to the current CPU's count; false if the tally is closed. */
    boolean addOnCpu(long delta) {
        try {
            return OwnTallies.addOnCpu(position, delta);
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
            return OwnTallies.close(position, this);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Opens it again, with a count of 0. */
    void open() {
        try {
            OwnTallies.open(position, this);
        } finally {
            Reference.reachabilityFence(this);
        }
    }
}

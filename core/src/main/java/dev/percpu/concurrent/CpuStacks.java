package dev.percpu.concurrent;

import dev.percpu.CpuGuard;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.internal.protocol.Stacks;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;

/**
 * Each CPU's stack of idle ids. {@link PooledIds} inherits this class instead of having it in a field: a field would
 * cost one load more for each acquisition and release.
 */
abstract class CpuStacks extends PaddedInFront {
    private static final Stacks STACKS = Stacks.CURRENT;

    /** What {@link #fullest} returns if nothing lies on any stack. */
    static final int NO_CPU = -1;

    /** Enough to make the lock rare. Not more, since they lie idle on a CPU that does not need them. */
    private static final int LARGEST = 64;

    /** The pool's name, for messages. */
    final String label;

    private final long position;
    private final int stackCapacity;

    /** How many ids move between a stack and the shared store at a time. */
    final int batch;

    CpuStacks(int capacity, String label) {
        this.label = label;
        stackCapacity = Math.clamp(capacity / (2L * CpuMask.usable().weight()), 1, LARGEST);
        batch = (stackCapacity + 1) / 2;
        position = Area.allocateFor(this, Stacks.bytes(stackCapacity), Long.BYTES, label);
    }

    /** Takes an idle id that the current thread or CPU has; negative if there is none. */
    long take() {
        return pop();
    }

    /** Stores an entry's id for the current thread or CPU. False if there is no room; then nothing was done. */
    boolean put(PooledFields<?> entry) {
        return push(entry.id);
    }

    /**
     * Pops an idle id from the current CPU's stack; negative if that has none. Others may be idle elsewhere.
     */
    final long pop() {
        try {
            long id = STACKS.pop(position);
            // The sequences have no fence: on some architectures, later reads could be done before them.
            VarHandle.acquireFence();
            return id;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Pushes an id onto the current CPU's stack. False if the stack is full or in use; then nothing was done. */
    final boolean push(int id) {
        // Pairs with the fence in pop.
        VarHandle.releaseFence();
        return STACKS.push(position, id, stackCapacity);
    }

    /** How many ids lie on a CPU's stack; negative while a thread of the atomic back end is at work there. */
    final long count(int cpu) {
        return Stacks.count(cpu, position);
    }

    /** How many ids lie on all stacks, or are kept by threads; not an atomic snapshot. */
    long total() {
        long total = 0;
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            total += Math.max(0, count(cpu));
        }
        return total;
    }

    /** The CPU on whose stack the most ids lie; {@link #NO_CPU} if there are none. */
    final int fullest() {
        int fullest = NO_CPU;
        long most = 0;
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            long count = count(cpu);
            if (count > most) {
                most = count;
                fullest = cpu;
            }
        }
        return fullest;
    }

    /**
     * Moves ids from a CPU's stack to a store. It acquires that CPU's guard, which restarts a sequence in flight there:
     * otherwise that sequence would go on with the count that it read before.
     *
     * @param most how many at most
     * @return how many it moved; negative if another thread has the guard
     * @throws LinuxException if the kernel refuses to restart the sequences in flight there
     */
    final int move(int cpu, long most, IdStack store) {
        try (CpuGuard guard = CpuGuard.tryAcquire(CpuId.of(cpu))) {
            if (guard == null) {
                return -1;
            }
            int moved = 0;
            // Between a pop and the push nothing can fail: the push needs less of the thread's stack than the pop did.
            for (long id; moved < most && (id = STACKS.popFrom(cpu, position)) >= 0; moved++) {
                if (store.room() == 0) {
                    // All ids are in the store, so this one is idle twice. Drop it.
                    throw tooMany();
                }
                store.push((int) id);
            }
            return moved;
        }
    }

    final IllegalStateException tooMany() {
        return new IllegalStateException(
                "more objects were released than " + label + " has: two threads released one at once. Let one thread at"
                        + " a time use a handle; -Dpercpu.checked=true finds out who does not");
    }
}

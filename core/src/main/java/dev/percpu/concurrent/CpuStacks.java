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
 * The stacks of idle numbers that the CPUs have. {@link PooledIds} inherits them instead of having them in a field: a
 * further object on the way to the current CPU's stack would be one load more for each acquisition and release.
 */
abstract class CpuStacks {
    private static final Stacks STACKS = Stacks.CURRENT;

    /** What {@link #fullest} returns if nothing lies on any stack. */
    static final int NO_CPU = -1;

    /** As many as keep the lock out of sight, and no more, since they lie idle on a CPU that does not need them. */
    private static final int LARGEST = 64;

    private final long position;
    private final int stackCapacity;

    /** How many numbers move between a stack and the shared store at a time. */
    final int batch;

    CpuStacks(int capacity) {
        stackCapacity = Math.clamp(capacity / (2L * CpuMask.usable().weight()), 1, LARGEST);
        batch = (stackCapacity + 1) / 2;
        position = Area.allocateFor(this, Stacks.bytes(stackCapacity), Long.BYTES, "a pool");
    }

    /**
     * Takes an idle number from the current CPU's stack; negative if there is none, which does not say that none is
     * idle.
     */
    final long pop() {
        try {
            long id = STACKS.pop(position);
            // The sequences are plain: on this architecture or that, reads could move up past them.
            VarHandle.acquireFence();
            return id;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Puts a number on the current CPU's stack; false if nothing was done, as it is full or in use. */
    final boolean push(int id) {
        // Pairs with the fence in pop.
        VarHandle.releaseFence();
        return STACKS.push(position, id, stackCapacity);
    }

    /** How many numbers a CPU's stack has; negative while a thread of the atomic back end is at work there. */
    final long count(int cpu) {
        return Stacks.count(cpu, position);
    }

    /** How many numbers lie on the stacks, which is not an atomic snapshot. */
    final long total() {
        long total = 0;
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            total += Math.max(0, count(cpu));
        }
        return total;
    }

    /** The CPU on whose stack the most numbers lie; {@link #NO_CPU} if there are none. */
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
     * Moves numbers from a CPU's stack to a store, with that CPU's guard. Otherwise a sequence in flight there, which
     * popped or pushed without looking at the guard again, would go on with the count that it read before.
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
                    // All numbers are in the store, so this is there twice, and is better dropped.
                    throw tooMany();
                }
                store.push((int) id);
            }
            return moved;
        }
    }

    static IllegalStateException tooMany() {
        return new IllegalStateException(
                "more objects were released than the pool has: two threads released one at once."
                        + " Let one thread at a time use a handle, and find who does not with -Dpercpu.checked=true");
    }
}

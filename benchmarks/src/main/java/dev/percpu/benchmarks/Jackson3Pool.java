package dev.percpu.benchmarks;

import dev.percpu.jackson3.PerCpuRecyclerPool;
import tools.jackson.core.util.BufferRecycler;
import tools.jackson.core.util.JsonRecyclerPools;
import tools.jackson.core.util.RecyclerPool;

/** A pool of Jackson 3's, for benchmarks that have pools of Jackson 2 too: the classes have the same names. */
record Jackson3Pool(RecyclerPool<BufferRecycler> pool) {
    static Jackson3Pool perCpu(int capacity) {
        return new Jackson3Pool(PerCpuRecyclerPool.create(capacity));
    }

    /** Jackson gives it 64 at most. */
    static Jackson3Pool stripedArray(int capacity) {
        return new Jackson3Pool(JsonRecyclerPools.newStripedArrayPool(capacity));
    }

    /** The same for virtual threads, and one for each platform thread. */
    static Jackson3Pool hybrid(int capacity) {
        return new Jackson3Pool(JsonRecyclerPools.newHybridPool(capacity));
    }

    BufferRecycler acquire() {
        return pool.acquireAndLinkPooled();
    }

    /** Checks that a per-CPU pool, with nothing in use, lends as many as it may keep: so that none was left behind. */
    void checkLendsAll(int capacity) {
        for (int i = 0; i < capacity; i++) {
            // One from outside the pool is a plain one.
            if (pool.acquirePooled().getClass() == BufferRecycler.class) {
                throw new IllegalStateException("somebody still holds a recycler of " + pool);
            }
        }
    }
}

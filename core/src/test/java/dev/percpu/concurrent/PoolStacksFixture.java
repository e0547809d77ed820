package dev.percpu.concurrent;

import dev.percpu.OnCpu;
import dev.percpu.cpu.CpuMask;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** What tests need that put a pool's objects onto the stacks of certain CPUs. */
abstract class PoolStacksFixture {
    static final int EPERM = 1;

    private final int[] cpus = CpuMask.usable().ids().toArray();

    /** With one CPU it is both, and then these tests say nothing about two. */
    final int firstCpu = cpus[0];

    final int lastCpu = cpus[cpus.length - 1];
    final List<Object> destroyed = new ArrayList<>();

    final PerCpuPool<Object> pool(int capacity) {
        return PerCpuPool.builder(capacity, Object::new).destroy(destroyed::add).build();
    }

    /** The only object lies on that CPU's stack, for a test in which another thread holds its guard. */
    final PerCpuPool<Object> poolWithItsObjectOnTheFirstCpu() {
        PerCpuPool<Object> pool = pool(1);
        OnCpu.run(firstCpu, () -> pool.tryAcquire().release());
        return pool;
    }

    static void awaitBlocked(Thread thread) throws InterruptedException {
        while (thread.isAlive() && LockSupport.getBlocker(thread) == null) {
            Thread.sleep(1);
        }
    }
}

package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.internal.linux.BoundThread;

/** Runs a test in a thread that stays on one CPU. */
final class OnCpu {
    private OnCpu() {}

    static void run(CpuId cpu, Runnable test) {
        Throwable thrown = BoundThread.run(cpu.id(), test);
        if (thrown != null) {
            throw new AssertionError("on " + cpu, thrown);
        }
    }
}

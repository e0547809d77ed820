package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.internal.linux.BoundThread;
import dev.percpu.testing.Workers;

/** Runs a test in a thread that stays on one CPU. */
public final class OnCpu {
    private OnCpu() {}

    /** One that hangs ends with the test's time: {@link BoundThread#await} alone does not end with an interrupt. */
    public static void run(int cpu, Runnable test) {
        BoundThread thread = BoundThread.start(cpu, test);
        Workers.join(thread);
        Throwable thrown = thread.await();
        if (thrown != null) {
            throw new AssertionError("on CPU " + cpu, thrown);
        }
    }

    /** {@link #run(int, Runnable)}. */
    public static void run(CpuId cpu, Runnable test) {
        run(cpu.id(), test);
    }
}

package dev.percpu.cpu;

import dev.percpu.internal.failure.Failures;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.linux.BoundThread;
import java.util.function.Consumer;

/** Runs a task in threads bound to one CPU each. */
final class BoundRuns {
    private BoundRuns() {}

    static void onEach(CpuMask cpus, Consumer<? super CpuId> task) {
        int owned = Ownership.ownedBy(Thread.currentThread());
        if (owned >= 0) {
            throw new IllegalStateException("a task cannot be run on each CPU by a thread that holds the guard of CPU "
                    + owned + ", because the task could wait for that guard forever: close the guard first");
        }
        Failures failures = new Failures();
        for (CpuId cpu : cpus) {
            failures.add(BoundThread.run(cpu.id(), () -> task.accept(cpu)));
        }
        failures.rethrow("the task threw a checked exception");
    }
}

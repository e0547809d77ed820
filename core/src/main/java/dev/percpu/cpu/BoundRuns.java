package dev.percpu.cpu;

import dev.percpu.internal.Failures;
import dev.percpu.internal.backend.BoundThread;
import java.util.function.Consumer;

/** Runs a task in threads bound to one CPU each. */
final class BoundRuns {
    private BoundRuns() {}

    static void onEach(CpuMask cpus, Consumer<? super CpuId> task) {
        Failures failures = new Failures();
        for (CpuId cpu : cpus) {
            failures.add(BoundThread.run(cpu.id(), () -> task.accept(cpu)));
        }
        failures.rethrow("the task threw a checked exception");
    }
}

package dev.percpu.cpu;

import dev.percpu.internal.failure.Failures;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.linux.BoundThread;
import dev.percpu.internal.protocol.StackRoom;
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
        // Waiting for a thread must not overflow the stack once the thread runs the task.
        StackRoom.CURRENT.ensure();
        Failures failures = new Failures();
        try {
            for (CpuId cpu : cpus) {
                failures.add(BoundThread.run(cpu.id(), new Run(task, cpu)));
            }
        } catch (Throwable noThread) {
            failures.addTo(noThread);
            throw noThread;
        }
        failures.rethrow("the task threw a checked exception");
    }

    /** No lambda: if the heap is full when the JVM first links it, no task could ever be run on each CPU. */
    private record Run(Consumer<? super CpuId> task, CpuId cpu) implements Runnable {
        @Override
        public void run() {
            task.accept(cpu);
        }
    }
}

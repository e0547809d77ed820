package dev.percpu.cpu;

import dev.percpu.internal.backend.BoundThread;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Runs a task in threads bound to one CPU each. */
final class BoundRuns {
    private BoundRuns() {}

    static void onEach(CpuMask cpus, Consumer<? super CpuId> task) {
        Throwable failure = null;
        for (CpuId cpu : cpus) {
            Throwable thrown = BoundThread.run(cpu.id(), () -> task.accept(cpu));
            if (failure == null) {
                failure = thrown;
            } else if (thrown != null && thrown != failure) {
                failure.addSuppressed(thrown);
            }
        }
        rethrow(failure);
    }

    private static void rethrow(@Nullable Throwable failure) {
        switch (failure) {
            case null -> {}
            case Error e -> throw e;
            case RuntimeException e -> throw e;
            default -> throw new IllegalStateException("the task threw a checked exception", failure);
        }
    }
}

package dev.percpu.stress.failure;

import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Threads that end when their work is done, and hand on what it threw. */
final class ThreadOfItsOwn {
    private ThreadOfItsOwn() {}

    /** Does something in a new thread, and waits for its end. */
    static void run(Variant variant, String name, long stackBytes, OtherThread.Action action) throws Exception {
        FutureTask<Boolean> task = new FutureTask<>(() -> {
            action.run();
            return true;
        });
        Thread thread = variant.newThread(name, stackBytes, task);
        thread.start();
        thread.join();
        try {
            boolean _ = task.get();
        } catch (ExecutionException e) {
            switch (Objects.requireNonNull(e.getCause())) {
                case Error error -> throw error;
                case Exception exception -> throw exception;
                default -> throw e;
            }
        }
    }
}

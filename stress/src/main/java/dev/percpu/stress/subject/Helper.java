package dev.percpu.stress.subject;

import org.jspecify.annotations.Nullable;

/** A thread that a worker starts in the middle of a use. If it fails, the worker does. */
final class Helper {
    private final Thread thread;
    private volatile @Nullable Throwable failure;

    /** What it does. */
    @FunctionalInterface
    interface Task {
        void run() throws InterruptedException;
    }

    private Helper(Thread.Builder builder, Task task) {
        thread = builder.unstarted(() -> {
            try {
                task.run();
            } catch (Throwable t) {
                failure = t;
            }
        });
    }

    static Helper start(Thread.Builder builder, Task task) {
        Helper helper = new Helper(builder, task);
        helper.thread.start();
        return helper;
    }

    void interrupt() {
        thread.interrupt();
    }

    /** Waits for its end. */
    void join() throws InterruptedException {
        thread.join();
    }

    /** @throws AssertionError if it has failed */
    void check() {
        Throwable thrown = failure;
        if (thrown != null) {
            throw new AssertionError(thrown.getMessage(), thrown);
        }
    }
}

package dev.percpu.internal.linux;

import org.jspecify.annotations.Nullable;

/**
 * A thread that is bound to one CPU. Where threads cannot be bound, because there are no system calls, the atomic back
 * end treats this thread as running on that CPU.
 */
public final class BoundThread extends Thread {
    /** Used instead of a CPU: the thread is not bound. */
    public static final int ANYWHERE = -1;

    private final int cpu;
    private final Runnable task;
    private volatile @Nullable Throwable thrown;

    private BoundThread(int cpu, Runnable task) {
        super("percpu-bound-" + cpu);
        this.cpu = cpu;
        this.task = task;
    }

    /**
     * Runs a task in a thread bound to a CPU, waits for its end, and returns what it threw; null if it threw nothing.
     */
    public static @Nullable Throwable run(int cpu, Runnable task) {
        return start(cpu, task).await();
    }

    /**
     * Starts a task in a thread bound to a CPU.
     *
     * @throws OutOfMemoryError if no thread can be started
     */
    public static BoundThread start(int cpu, Runnable task) {
        BoundThread thread = new BoundThread(cpu, task);
        thread.start();
        return thread;
    }

    /**
     * Starts a task in a thread bound to a CPU; null if no thread can be started, since there are too many, say. For
     * callers that have another way.
     */
    public static @Nullable BoundThread tryStart(int cpu, Runnable task) {
        BoundThread thread = new BoundThread(cpu, task);
        try {
            thread.start();
        } catch (OutOfMemoryError refused) {
            return null;
        }
        return thread;
    }

    /**
     * Waits for the task's end and returns what it threw; null if it threw nothing. Leaves an interrupt to the caller.
     */
    public @Nullable Throwable await() {
        boolean interrupted = false;
        while (isAlive()) {
            try {
                join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return thrown;
    }

    /** The CPU that the thread is bound to. */
    public int cpu() {
        return cpu;
    }

    @Override
    public void run() {
        try {
            if (cpu != ANYWHERE && Platform.hasSystemCalls()) {
                Affinity.bind(cpu);
            }
            task.run();
        } catch (Throwable t) {
            thrown = t;
        }
    }
}

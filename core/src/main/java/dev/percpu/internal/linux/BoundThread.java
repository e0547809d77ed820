package dev.percpu.internal.linux;

import dev.percpu.internal.failure.RootGroup;
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

    /** @param group null for the group of the current thread */
    private BoundThread(@Nullable ThreadGroup group, int cpu, Runnable task, boolean inherits) {
        super(group, null, "percpu-bound-" + cpu, 0, inherits);
        this.cpu = cpu;
        this.task = task;
    }

    /**
     * Runs a user's task in a thread bound to a CPU, which inherits what the user's threads do. Waits for its end, and
     * returns what it threw; null if it threw nothing.
     */
    public static @Nullable Throwable run(int cpu, Runnable task) {
        return start(cpu, task).await();
    }

    /**
     * Starts a user's task in a thread bound to a CPU.
     *
     * @throws OutOfMemoryError if no thread can be started
     */
    public static BoundThread start(int cpu, Runnable task) {
        BoundThread thread = new BoundThread(null, cpu, task, true);
        thread.start();
        return thread;
    }

    /**
     * Starts a task of the library's own in a thread bound to a CPU; null if no thread can be started, since there are
     * too many, say. The thread inherits no thread locals: a user's code would run for that, while classes of the
     * library are being initialized.
     */
    public static @Nullable BoundThread tryStart(int cpu, Runnable task) {
        BoundThread thread = new BoundThread(RootGroup.get(), cpu, task, false);
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

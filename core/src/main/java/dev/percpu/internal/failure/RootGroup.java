package dev.percpu.internal.failure;

/**
 * The thread group that contains all others, for the library's own threads. A thread is otherwise in its creator's
 * group, and a thread that runs for long would keep the group of the first user, which may have long ended.
 */
public final class RootGroup {
    private RootGroup() {}

    /** The group. */
    public static ThreadGroup get() {
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        for (ThreadGroup parent = group.getParent(); parent != null; parent = parent.getParent()) {
            group = parent;
        }
        return group;
    }
}

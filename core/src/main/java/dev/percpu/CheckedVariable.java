package dev.percpu;

/**
 * The checked form of another variable. It is a record and not a lambda: if the heap is full when the JVM links a
 * lambda, it may never try again.
 */
record CheckedVariable<T extends InteriorMutable>(PerCpu<T> variable) implements CheckedPerCpu<T> {
    @Override
    public PerCpuPtr<T> ptr() {
        return variable.ptr();
    }

    @Override
    public String toString() {
        return variable.toString();
    }
}

package dev.percpu.cpu;

import dev.percpu.internal.failure.Failures;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.linux.BoundThread;
import dev.percpu.internal.protocol.CurrentCpu;
import dev.percpu.internal.protocol.StackRoom;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * The id of a CPU of this system: from 0 to {@link CpuMask#capacity()} exclusive. Ids can have gaps. There is exactly
 * one {@code CpuId} object for each id.
 */
public final class CpuId implements Comparable<CpuId> {
    private static final CpuId[] IDS = new CpuId[CpuMask.capacity()];

    static {
        for (int id = 0; id < IDS.length; id++) {
            IDS[id] = new CpuId(id);
        }
    }

    private final int id;

    private CpuId(int id) {
        this.id = id;
    }

    /**
     * The CPU with the given id.
     *
     * @throws IndexOutOfBoundsException if this system cannot have a CPU with that id
     */
    public static CpuId of(int id) {
        if (id < 0 || id >= IDS.length) {
            throw new IndexOutOfBoundsException(
                    "CPU " + id + " is out of range: this system's ids go from 0 to " + (IDS.length - 1));
        }
        return IDS[id];
    }

    /**
     * The CPU that the current thread runs on. Unless the thread is bound to one CPU, it may have moved by the time the
     * caller uses the result, so the result is only a hint.
     *
     * <p>Where the library cannot ask the system (native access is denied, or the system is not Linux), each thread
     * always gets the same id, and the ids spread the threads over the CPUs.
     *
     * <p>If the program has acquired no guard before, the first call initializes classes. If the heap is full then,
     * these stay unusable. So acquire a guard or call this method when the program starts.
     */
    public static CpuId current() {
        return IDS[CurrentCpu.CURRENT.get()];
    }

    /**
     * Runs a task once on every CPU that is online and that this process may use, one CPU after the other, each time in
     * a thread bound to that CPU. Returns when the task has run on all of them. This is the kernel's {@code
     * on_each_cpu}, except that the task runs in an ordinary thread, where it may block.
     *
     * <p>Call this neither in the static initializer of a class that the task uses, nor with a lock that it needs. The
     * task would wait for the caller, and the caller waits for the task, for ever.
     *
     * <p>Everything the caller did before happens before each run, and each run happens before the return.
     *
     * @throws IllegalStateException if this thread holds a guard, in Java or in C code that called this Java code,
     *     because the task could wait for that guard for ever
     * @throws RuntimeException the first exception that the task threw, with the later ones suppressed; the task still
     *     ran on the other CPUs
     * @throws OutOfMemoryError if a thread cannot be started; the task has run on the CPUs before that one, and what it
     *     threw there is suppressed
     */
    public static void onEachCpu(Consumer<? super CpuId> task) {
        Objects.requireNonNull(task);
        Ownership.refuseToWait("a task on ", "each CPU");
        // Waiting for a thread must not overflow the stack once the thread runs the task.
        StackRoom.CURRENT.ensure();
        Failures failures = new Failures();
        try {
            for (CpuId cpu : CpuMask.usable()) {
                failures.add(BoundThread.run(cpu.id, new Run(task, cpu)));
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

    /** The id as a number. */
    public int id() {
        return id;
    }

    @Override
    public int compareTo(CpuId other) {
        return Integer.compare(id, other.id);
    }

    @Override
    public String toString() {
        return "CPU " + id;
    }
}

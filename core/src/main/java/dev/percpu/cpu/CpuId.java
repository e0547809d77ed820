package dev.percpu.cpu;

import dev.percpu.internal.protocol.CurrentCpu;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * The id of a CPU of this system: from 0 to {@link CpuMask#capacity()} exclusive. Ids can be sparse. There is one
 * instance for each id.
 */
public final class CpuId implements Comparable<CpuId> {
    private static final CpuId[] IDS =
            IntStream.range(0, CpuMask.capacity()).mapToObj(CpuId::new).toArray(CpuId[]::new);

    private final int id;

    private CpuId(int id) {
        this.id = id;
    }

    /**
     * The CPU with the given id.
     *
     * @throws IndexOutOfBoundsException if this system can have no such CPU
     */
    public static CpuId of(int id) {
        if (id < 0 || id >= IDS.length) {
            throw new IndexOutOfBoundsException(
                    "CPU " + id + " is out of range: this system's ids go from 0 to " + (IDS.length - 1));
        }
        return IDS[id];
    }

    /**
     * The CPU that the current thread runs on. Unless the thread is bound to one CPU, it can have moved by the time the
     * caller looks at the answer, so this is a hint.
     *
     * <p>Where the system does not tell (native access denied, or not on Linux), it is an id that stays the same for
     * each thread, and that spreads the threads over the CPUs.
     */
    public static CpuId current() {
        return IDS[CurrentCpu.CURRENT.get()];
    }

    /**
     * Runs a task once on every CPU that is online and that this process may use, each time in a thread bound to that
     * CPU, one CPU after the other, and returns when all have run. It is the kernel's {@code on_each_cpu}, except that
     * it runs in an ordinary thread, where it may block.
     *
     * <p>Everything the caller did before happens before each run, and each run happens before the return.
     *
     * @throws IllegalStateException if this thread holds a guard, for which the task could wait for ever
     * @throws RuntimeException what the task threw, the first time it did, with the later ones suppressed; the task
     *     still ran on the other CPUs
     */
    public static void onEachCpu(Consumer<? super CpuId> task) {
        Objects.requireNonNull(task);
        BoundRuns.onEach(CpuMask.usable(), task);
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

package dev.percpu;

import dev.percpu.internal.Registry;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.linux.Libc;
import dev.percpu.internal.linux.RseqRegistration;
import java.util.List;

/** Tells how per-CPU variables run in this process, and which ones there are. */
public final class PerCpuRuntime {
    private PerCpuRuntime() {}

    /** The back end's name: {@code rseq} or {@code atomic}. */
    public static String backend() {
        return Backends.name();
    }

    /** Why it is that back end. */
    public static String backendReason() {
        return Backends.reason();
    }

    /** What the self-test at start-up said. */
    public static String selfTest() {
        return Backends.selfTest();
    }

    /**
     * Runs the deep self-test, half a second of delayed and preempted sequences, and says what it found. It changes
     * nothing: the back end stays what it is.
     */
    public static String runDeepSelfTest() {
        return Backends.runDeepSelfTest();
    }

    /** The C library's name and version, as far as it tells. */
    public static String libc() {
        return Libc.version();
    }

    /** How the C library registered its threads for restartable sequences. */
    public static Rseq rseq() {
        RseqRegistration registration = Backends.registration();
        return new Rseq(registration.size(), registration.offset(), registration.features());
    }

    /** The per-CPU area. */
    public static Memory memory() {
        return new Memory(Area.STRIDE, Area.MEMORY.byteSize(), Area.usedBytesPerCpu(), Area.BASE);
    }

    /**
     * What there is in this process: the static variables, and then all other variables and structures that were given
     * a name, each in the order in which they were made. One that is closed, or that nobody can reach any more,
     * is left out.
     */
    public static List<Variable> variables() {
        return Registry.list().stream()
                .map(named -> new Variable(named.name(), named.type()))
                .toList();
    }

    /**
     * A variable or a structure that has a name.
     *
     * @param name what its maker calls it; it need not be unique
     * @param type what it is
     */
    public record Variable(String name, String type) {}

    /**
     * A registration for restartable sequences.
     *
     * @param size how many bytes of {@code struct rseq} are in use; 0 if no thread is registered
     * @param offset where it lies, from the thread pointer
     * @param features the fields that the size covers
     */
    public record Rseq(int size, long offset, List<String> features) {}

    /**
     * A per-CPU area.
     *
     * @param stride the size of each CPU's place, in bytes
     * @param reservedBytes the address space of the whole area
     * @param usedBytesPerCpu how many bytes of each place are given to variables
     * @param address where it begins, for tools that look at the process's mappings
     */
    public record Memory(long stride, long reservedBytes, long usedBytesPerCpu, long address) {}
}

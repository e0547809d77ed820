package dev.percpu;

import static dev.percpu.internal.area.Area.STRIDE;
import static dev.percpu.internal.area.Area.reservedBytes;
import static dev.percpu.internal.area.Area.usedBytesPerCpu;

import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.backend.RseqUnavailableException;
import dev.percpu.internal.linux.Libc;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.internal.linux.RseqRegistration;
import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.protocol.CurrentCpu;
import dev.percpu.listing.Variable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reports how per-CPU variables are updated in this process, what memory they have, and which there are.
 *
 * <p>The first use of the library chooses the back end, also if it is a call of this class. If a property has a value
 * that cannot be used, that first use throws an {@link ExceptionInInitializerError}, whose cause says why.
 */
public final class PerCpuRuntime {
    private PerCpuRuntime() {}

    /** The back end's name: {@code rseq} or {@code atomic}. */
    public static String backend() {
        return Backends.name();
    }

    /** Why the library chose that back end. */
    public static String backendReason() {
        return Backends.reason();
    }

    /** The result of the self-test at start-up, in words. */
    public static String selfTest() {
        return Backends.selfTest();
    }

    /**
     * Runs the deep self-test, which delays and preempts sequences for half a second, and returns what it found, or why
     * it could not be run. It changes nothing: the back end stays the same. If it fails, updates may be lost, so the
     * process must not continue.
     *
     * <p>Each call keeps 64 KiB of machine code until the process ends, so do not call this at intervals.
     */
    public static DeepSelfTest runDeepSelfTest() {
        if (!Backends.usesSequences()) {
            return DeepSelfTest.of(Outcome.NOTHING_TO_TEST, "the back end is " + Backends.name());
        }
        try {
            String wrong = Backends.runDeepSelfTest();
            return wrong.isEmpty()
                    ? new DeepSelfTest(Outcome.PASSED, "passed")
                    : DeepSelfTest.of(Outcome.FAILED, wrong);
        } catch (RseqUnavailableException e) {
            return DeepSelfTest.of(Outcome.NOT_RUN, e.getMessage());
        }
    }

    /**
     * After a restore from a checkpoint, checks whether sequences still work in this process, and renews its
     * registration for {@code membarrier}, which a restore may lose. The method binds the calling thread to each of its
     * CPUs in turn, for a moment, and compares the CPU ids. Then it runs the deep self-test, which takes half a second
     * and uses new threads. It cannot check any other thread. On the atomic back end there is nothing to check.
     *
     * @throws IllegalStateException if sequences no longer work here, or if that could not be checked. Then updates
     *     may be lost, so the process must not continue
     */
    public static void checkAfterRestore() {
        if (!Backends.usesSequences()) {
            return;
        }
        DeepSelfTest result;
        try {
            Linux.registerForSequenceRestarts();
            result = CurrentCpu.isUpToDate()
                    ? runDeepSelfTest()
                    : DeepSelfTest.of(Outcome.FAILED, "this thread's CPU id is out of date");
        } catch (LinuxException e) {
            result = DeepSelfTest.of(Outcome.NOT_RUN, e.getMessage());
        }
        if (result.outcome != Outcome.PASSED) {
            throw new IllegalStateException((result.outcome == Outcome.NOT_RUN
                            ? "it could not be checked whether restartable sequences still work in this process. The"
                                    + " self-test was "
                            : "restartable sequences no longer work in this process. The self-test ")
                    + result.text + ". Restore with a tool that restores each thread's registration, or start with -D"
                    + Backends.PROPERTY + "=atomic");
        }
    }

    /** The C library's name and version, as far as it reports them. */
    public static String libc() {
        return Libc.version();
    }

    /** How the C library registered its threads for restartable sequences. */
    public static Rseq rseq() {
        RseqRegistration registration = Backends.registration();
        return new Rseq(registration.size(), registration.offset(), registration.features());
    }

    /** The per-CPU area: how large it is, and how much of it is used. */
    public static Area area() {
        return new Area(STRIDE, reservedBytes(), usedBytesPerCpu());
    }

    /**
     * How many hot threads have a place of their own, and how many can. If all places are taken, further hot threads
     * make a native call for each update: see the system property {@code percpu.places}.
     */
    public static Places ownPlaces() {
        return new Places(OwnPlaces.taken(), OwnPlaces.COUNT);
    }

    /**
     * The static variables of this process, and then all other variables and structures that were given a name, each
     * group in the order in which they were created. Those that are closed or no longer reachable are left out.
     */
    public static List<Variable> variables() {
        return Registry.list();
    }

    /**
     * What the deep self-test found.
     *
     * @param outcome the result, for programs
     * @param text the same for people, with what went wrong
     */
    public record DeepSelfTest(Outcome outcome, String text) {
        private static DeepSelfTest of(Outcome outcome, @Nullable String details) {
            return new DeepSelfTest(outcome, (outcome == Outcome.FAILED ? "failed: " : "not run: ") + details);
        }
    }

    /** How a self-test can end. */
    public enum Outcome {
        /** Sequences lost no update. */
        PASSED,
        /** Sequences lost updates, or the kernel aborted none. */
        FAILED,
        /** It could not be run, so it is not known whether sequences work. */
        NOT_RUN,
        /** This process uses no sequences. */
        NOTHING_TO_TEST
    }

    /**
     * A registration for restartable sequences.
     *
     * @param size how many bytes of {@code struct rseq} are in use; 0 if no thread is registered
     * @param offset where the {@code struct rseq} lies, relative to the thread pointer
     * @param features the fields that the size covers
     */
    public record Rseq(int size, long offset, List<String> features) {}

    /**
     * The per-CPU area.
     *
     * @param stride the size of each CPU's place, in bytes
     * @param reservedBytes the address space of the whole area
     * @param usedBytesPerCpu how many bytes of each place are allocated to variables
     */
    public record Area(long stride, long reservedBytes, long usedBytesPerCpu) {}

    /**
     * The places that threads can have for themselves.
     *
     * @param taken how many threads have one; a thread that comes or ends just now may be counted or not
     * @param most how many can have one at a time
     */
    public record Places(int taken, int most) {}
}

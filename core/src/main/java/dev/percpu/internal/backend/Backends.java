package dev.percpu.internal.backend;

import dev.percpu.internal.code.Assembler;
import dev.percpu.internal.code.PerfMap;
import dev.percpu.internal.failure.Log;
import dev.percpu.internal.failure.Reporter;
import dev.percpu.internal.jfr.Recording;
import dev.percpu.internal.linux.Architecture;
import dev.percpu.internal.linux.KernelVersion;
import dev.percpu.internal.linux.Platform;
import dev.percpu.internal.linux.RseqRegistration;
import dev.percpu.memory.AreaFullException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Chooses the back end once, and remembers the reason. */
public final class Backends {
    /** Forces a back end by its name; without it, the fastest that works is chosen. */
    public static final String PROPERTY = "percpu.backend";

    private static final String RSEQ = "rseq";
    private static final String ATOMIC = "atomic";

    private static final RseqRegistration REGISTRATION =
            Platform.hasSystemCalls() ? RseqRegistration.read() : RseqRegistration.NONE;

    private static final Choice CHOICE = choose(System.getProperty(PROPERTY));

    static {
        Recording.backEnd(CHOICE.name(), CHOICE.reason, CHOICE.selfTest);
    }

    /**
     * @param sequences null on the atomic back end
     * @param reason why this back end was chosen, as a clause
     * @param selfTest the result of the self-test
     */
    private record Choice(@Nullable Sequences sequences, String reason, String selfTest) {
        private String name() {
            return sequences == null ? ATOMIC : RSEQ;
        }
    }

    private Backends() {}

    /** The back end's name, {@code rseq} or {@code atomic}. */
    public static String name() {
        return CHOICE.name();
    }

    /** Whether the back end updates with sequences; otherwise it uses atomic instructions. */
    public static boolean usesSequences() {
        return CHOICE.sequences != null;
    }

    /**
     * The half of a protocol that is in use. Each protocol asks once, and keeps the answer in the constant that all its
     * users read.
     *
     * @param protocol the protocol's interface
     * @param rseq makes the half that calls sequences
     * @param atomic makes the half that uses atomic instructions
     */
    public static <P> P half(Class<P> protocol, Function<Sequences, ? extends P> rseq, Supplier<? extends P> atomic) {
        Sequences sequences = CHOICE.sequences;
        return Interposition.around(protocol, sequences == null ? atomic.get() : rseq.apply(sequences), rseq);
    }

    /** Why the current back end was chosen, as a clause. */
    public static String reason() {
        return CHOICE.reason;
    }

    /** The result of the self-test at start-up. */
    public static String selfTest() {
        return CHOICE.selfTest;
    }

    public static RseqRegistration registration() {
        return REGISTRATION;
    }

    /**
     * Runs the deep self-test now, where sequences are used: what went wrong, or empty if nothing did.
     *
     * @throws RseqUnavailableException if the test cannot be run
     */
    public static String runDeepSelfTest() {
        try {
            return SelfTest.deep(new SelfTest.Build(REGISTRATION), SelfTest.DEEP_ROUNDS);
        } catch (AreaFullException e) {
            throw new RseqUnavailableException(String.valueOf(e.getMessage()), e);
        }
    }

    private static Choice choose(@Nullable String forced) {
        if (forced == null) {
            return fastest();
        }
        return switch (forced) {
            case RSEQ -> forcedRseq();
            case ATOMIC -> atomic("it is forced by -D" + PROPERTY + "=" + ATOMIC);
            default ->
                throw new IllegalArgumentException(PROPERTY + " must be " + RSEQ + " or " + ATOMIC + ", not '" + forced
                        + "'; without it the fastest that works is chosen");
        };
    }

    private static Choice fastest() {
        try {
            return rseq("restartable sequences work here");
        } catch (RseqUnavailableException e) {
            String reason = String.valueOf(e.getMessage());
            report(reason);
            return atomic(reason);
        }
    }

    /**
     * Says once that this process runs on the slower back end although nobody asked for it. Another thread does: this
     * runs while a class is being initialized, and a logger is the user's code, which may use this very class.
     */
    private static void report(String reason) {
        Reporter.queue(() -> Log.info(
                "per-CPU variables are updated by atomic instructions, which is exact but slower than restartable"
                        + " sequences: {0}. -D{1}={2} chooses this back end without this message",
                reason, PROPERTY, ATOMIC));
    }

    private static Choice forcedRseq() {
        try {
            return rseq("it is forced by -D" + PROPERTY + "=" + RSEQ);
        } catch (RseqUnavailableException e) {
            throw new IllegalStateException(
                    "-D" + PROPERTY + "=" + RSEQ + " is not possible here: " + e.getMessage()
                            + ". Remove the property to run on the atomic back end",
                    e);
        }
    }

    private static Choice atomic(String reason) {
        return new Choice(null, reason, "not needed");
    }

    private static Choice rseq(String reason) {
        if (!Platform.hasSystemCalls()) {
            throw unavailable(Platform.whyNoSystemCalls());
        }
        Architecture architecture = Architecture.current();
        if (!Assembler.exists(architecture)) {
            throw unavailable("no sequences are written for the architecture " + System.getProperty("os.arch"));
        }
        if (!REGISTRATION.isUsable()) {
            throw unavailable("the C library registered no thread for restartable sequences (switched off by"
                    + " GLIBC_TUNABLES=glibc.pthread.rseq=0, refused by the kernel or a seccomp filter, or no"
                    + " glibc 2.35 or newer)");
        }
        Sequences sequences = Sequences.emit(REGISTRATION);
        var builds = new SelfTest.Build(REGISTRATION);
        String wrong = SelfTest.quick(sequences);
        if (wrong.isEmpty()) {
            wrong = SelfTest.seeAnAbort(builds);
        }
        if (!wrong.isEmpty()) {
            throw unavailable("the self-test failed: " + wrong);
        }
        if (PerfMap.isWanted()) {
            PerfMap.write(sequences.symbols());
        }
        KernelVersion kernel = KernelVersion.running();
        if (!kernel.isSuspect(architecture)) {
            return new Choice(sequences, reason, "quick: passed");
        }
        String suspicion = "kernel " + kernel + " is one of those that may lose updates, and the deep self-test ";
        try {
            wrong = SelfTest.deep(builds, SelfTest.DEEP_ROUNDS);
        } catch (RseqUnavailableException e) {
            throw new RseqUnavailableException(suspicion + "could not be run: " + e.getMessage(), e);
        }
        if (!wrong.isEmpty()) {
            throw unavailable(suspicion + "failed: " + wrong);
        }
        return new Choice(sequences, reason, "quick and, as kernel " + kernel + " is suspect, deep: passed");
    }

    private static RseqUnavailableException unavailable(String reason) {
        return new RseqUnavailableException(reason, null);
    }
}

package dev.percpu.internal.backend;

import dev.percpu.internal.code.Assembler;
import dev.percpu.internal.code.Instrumentation;
import dev.percpu.internal.linux.Architecture;
import dev.percpu.internal.linux.Platform;
import dev.percpu.internal.linux.RseqRegistration;
import java.lang.System.Logger;
import org.jspecify.annotations.Nullable;

/** Chooses the back end, once, and keeps the reason. */
public final class Backends {
    /** Forces a back end by its name; without it the fastest that works is chosen. */
    public static final String PROPERTY = "percpu.backend";

    private static final String RSEQ = "rseq";
    private static final String ATOMIC = "atomic";

    private static final RseqRegistration REGISTRATION =
            Platform.hasSystemCalls() ? RseqRegistration.read() : RseqRegistration.NONE;

    private static final Choice CHOICE = choose(System.getProperty(PROPERTY));

    /** A constant to the JIT compiler, so that calls of it are direct. */
    private static final Backend CURRENT = Interposition.around(CHOICE.backend);

    private record Choice(Backend backend, String reason, String selfTest) {}

    private Backends() {}

    public static Backend current() {
        return CURRENT;
    }

    /** Whether it updates by sequences; else by atomic instructions. */
    public static boolean usesSequences() {
        return CURRENT.name().equals(RSEQ);
    }

    /** Why it is the current one, as a clause. */
    public static String reason() {
        return CHOICE.reason;
    }

    /** What the self-test at start-up said. */
    public static String selfTest() {
        return CHOICE.selfTest;
    }

    public static RseqRegistration registration() {
        return REGISTRATION;
    }

    /** Runs the deep self-test now; says what it found. */
    public static String runDeepSelfTest() {
        if (!CURRENT.name().equals(RSEQ)) {
            return "not run: the back end is " + CURRENT.name();
        }
        String wrong = SelfTest.deep(Backends::sequences);
        return wrong.isEmpty() ? "deep: passed" : "deep: failed: " + wrong;
    }

    private static Choice choose(@Nullable String forced) {
        Choice choice = switch (forced) {
            case null -> fastest();
            case RSEQ -> forcedRseq();
            case ATOMIC -> atomic("it is forced by -D" + PROPERTY + "=" + ATOMIC);
            default ->
                throw new IllegalArgumentException(PROPERTY + " must be " + RSEQ + " or " + ATOMIC + ", not '" + forced
                        + "'; without it the fastest that works is chosen");
        };
        System.getLogger("dev.percpu")
                .log(Logger.Level.DEBUG, "per-CPU back end {0}: {1}", choice.backend.name(), choice.reason);
        return choice;
    }

    private static Choice fastest() {
        try {
            return rseq("restartable sequences work here");
        } catch (RseqUnavailableException e) {
            return atomic(String.valueOf(e.getMessage()));
        }
    }

    private static Choice forcedRseq() {
        try {
            return rseq("it is forced by -D" + PROPERTY + "=" + RSEQ);
        } catch (RseqUnavailableException e) {
            throw new IllegalStateException(
                    "-D" + PROPERTY + "=" + RSEQ + " cannot be: " + e.getMessage()
                            + ". Remove the property to run on the atomic back end",
                    e);
        }
    }

    private static Choice atomic(String reason) {
        return new Choice(AtomicBackend.create(Platform.hasSystemCalls()), reason, "not needed");
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
        Backend backend = sequences(Instrumentation.NONE);
        String wrong = SelfTest.quick(backend);
        if (!wrong.isEmpty()) {
            throw unavailable("the self-test failed: " + wrong);
        }
        KernelVersion kernel = KernelVersion.running();
        if (!kernel.isSuspect(architecture)) {
            return new Choice(backend, reason, "quick: passed");
        }
        wrong = SelfTest.deep(Backends::sequences);
        if (!wrong.isEmpty()) {
            throw unavailable("kernel " + kernel
                    + " is one of those that may lose updates, and the deep self-test failed: " + wrong);
        }
        return new Choice(backend, reason, "quick and, as kernel " + kernel + " is suspect, deep: passed");
    }

    private static Backend sequences(Instrumentation instrumentation) {
        return RseqBackend.create(REGISTRATION, instrumentation);
    }

    private static RseqUnavailableException unavailable(String reason) {
        return new RseqUnavailableException(reason, null);
    }
}

package dev.percpu.benchmarks;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuMask;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.stream.Collectors;

/** The sequence in C. It is written for one processor architecture, and needs restartable sequences. */
final class SequenceInC {
    /** How far apart two CPUs' slots are, as a power of two: a page, so that they disturb each other in nothing. */
    static final int SHIFT = 12;

    /** Which benchmarks need it, as a regular expression. */
    static final String BENCHMARKS = "\\.cSequence$";

    /** Up to where the registered {@code struct rseq} must reach to have the fields that the sequence uses. */
    private static final int RSEQ_BYTES = 16;

    /** Of a compiler's message, what fits into a line: the file, and the first error. */
    private static final int LINES_OF_A_REASON = 2;

    private SequenceInC() {}

    /**
     * A handle for the function that adds many times.
     *
     * @throws IllegalStateException if there is no gcc, if there are no restartable sequences, or if the sequence is
     *     not written for this processor
     */
    static MethodHandle addMany() {
        PerCpuRuntime.Rseq rseq = PerCpuRuntime.rseq();
        if (rseq.size() < RSEQ_BYTES) {
            throw new IllegalStateException("this process has no restartable sequences");
        }
        return Linker.nativeLinker()
                .downcallHandle(
                        CSource.load(
                                        "sequence.c",
                                        "-DRSEQ_OFFSET=" + rseq.offset(),
                                        "-DCPUS=" + CpuMask.capacity(),
                                        "-DSHIFT=" + SHIFT)
                                .findOrThrow("add_many"),
                        FunctionDescriptor.of(JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG));
    }

    /** Why it cannot be measured here; empty if it can. */
    static Optional<String> obstacle() {
        try {
            MethodHandle _ = addMany();
            return Optional.empty();
        } catch (IllegalStateException e) {
            return Optional.of(String.valueOf(e.getMessage())
                    .lines()
                    .limit(LINES_OF_A_REASON)
                    .collect(Collectors.joining(" ")));
        }
    }
}

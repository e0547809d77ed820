package dev.percpu.testing;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;

/** Takes from this process the right to make memory executable, as hardened systems do. */
public final class ExecutableMemory {
    private static final int PR_SET_MDWE = 65;
    private static final long PR_MDWE_REFUSE_EXEC_GAIN = 1;

    private ExecutableMemory() {}

    /** For good; needs Linux 6.3. */
    public static void refuse() {
        var prctl = CLibrary.function(
                "prctl",
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                Linker.Option.firstVariadicArg(1));
        try {
            int result = (int) prctl.invokeExact(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0L, 0L, 0L);
            if (result != 0) {
                throw new AssertionError("prctl(PR_SET_MDWE) failed");
            }
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}

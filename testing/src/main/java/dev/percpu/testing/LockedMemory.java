package dev.percpu.testing;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;

/** Has the kernel keep all memory resident that this process gets from now on, as {@code mlockall} does. */
public final class LockedMemory {
    private static final int MCL_FUTURE = 2;

    private static final MethodHandle MLOCKALL =
            CLibrary.function("mlockall", FunctionDescriptor.of(JAVA_INT, JAVA_INT));

    private LockedMemory() {}

    /** Locks what is mapped from now on. */
    public static void lockFuture() {
        int result;
        try {
            result = (int) MLOCKALL.invokeExact(MCL_FUTURE);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
        if (result != 0) {
            throw new AssertionError("the kernel locks no memory: ulimit -l is 0");
        }
    }
}

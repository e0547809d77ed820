package dev.percpu.internal.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Threads of this process by the kernel's numbers, which are the only names that C code has for them. */
public final class KernelThreads {
    private static final int PROCESS = Math.toIntExact(ProcessHandle.current().pid());

    private static final @Nullable MethodHandle GETTID = bind("gettid", FunctionDescriptor.of(JAVA_INT));

    private KernelThreads() {}

    /** The number of the thread that this one, virtual or not, runs on; 0 if the C library does not provide it. */
    public static int current() {
        if (GETTID == null) {
            return 0;
        }
        try {
            return (int) GETTID.invokeExact();
        } catch (Throwable t) {
            throw Linux.rethrow(t);
        }
    }

    /**
     * Whether no thread of this process has the number. If the kernel refuses for another reason, such as a sandbox,
     * that cannot be told, and the result is false.
     */
    public static boolean hasEnded(int thread) {
        return Linux.askAfterThread(PROCESS, thread) == Linux.ESRCH;
    }

    /** For messages: the thread's number, and its name while it runs. */
    public static String describe(int thread) {
        try {
            return "thread " + thread + " ("
                    + Files.readString(Path.of("/proc/self/task/" + thread + "/comm"))
                            .strip() + ")";
        } catch (IOException ended) {
            return "thread " + thread;
        }
    }

    private static @Nullable MethodHandle bind(String name, FunctionDescriptor descriptor) {
        return Linux.exported(name)
                .map(symbol -> Linux.bind(symbol.address(), descriptor))
                .orElse(null);
    }
}

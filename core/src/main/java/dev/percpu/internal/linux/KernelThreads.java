package dev.percpu.internal.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Threads of this process by the kernel's numbers, which are the only names that C code has for them. */
public final class KernelThreads {
    private static final int PROCESS = Math.toIntExact(ProcessHandle.current().pid());

    private static final @Nullable MethodHandle GETTID = bind("gettid", FunctionDescriptor.of(JAVA_INT));

    /** When a thread began is the 22nd field of its "stat". The second is in parentheses, and can contain anything. */
    private static final int BEGINNING = 22 - 2;

    /** 0 if beginnings are not to be compared. They are not if the numbers in {@code /proc} are other threads'. */
    private static final long PROCESS_BEGINNING = isProcOfThisNamespace() ? beginning(PROCESS) : 0;

    private KernelThreads() {}

    /** The number of the thread that this one, virtual or not, runs on; 0 if the C library does not provide it. */
    public static int current() {
        if (GETTID == null) {
            return 0;
        }
        try {
            return (int) GETTID.invokeExact();
        } catch (Throwable t) {
            throw LibcCalls.rethrow(t);
        }
    }

    /**
     * Whether no thread of this process has the number. If the kernel refuses for another reason, such as a sandbox,
     * that cannot be told, and the result is false.
     */
    public static boolean hasEnded(int thread) {
        return Linux.askAfterThread(PROCESS, thread) == Linux.ESRCH;
    }

    private static boolean isProcOfThisNamespace() {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self")).toString().equals(Integer.toString(PROCESS));
        } catch (IOException | RuntimeException unknown) {
            return false;
        }
    }

    /**
     * When a thread of this process began, in hundredths of a second since the system did; 0 if it has ended, or if
     * {@code /proc} does not tell.
     */
    public static long beginning(int thread) {
        try {
            // Threads are named in any encoding.
            String stat = Files.readString(Path.of("/proc/self/task/" + thread + "/stat"), StandardCharsets.ISO_8859_1);
            return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 1).split(" ", -1)[BEGINNING]);
        } catch (IOException | RuntimeException unknown) {
            return 0;
        }
    }

    /**
     * Whether beginnings can be compared with those from before. After a checkpoint and restore all threads have begun
     * anew, with the numbers that they had.
     */
    public static boolean isProcessTheSame() {
        return PROCESS_BEGINNING != 0 && beginning(PROCESS) == PROCESS_BEGINNING;
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

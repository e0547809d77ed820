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
    /**
     * What has to be found out once. It is null until {@link #prepare}, and made by no class initializer: the first
     * library of C code may be declared when the heap is full, and after a failed initializer no owner of a guard could
     * be looked up any more.
     */
    private static volatile @Nullable Known known;

    /** When a thread began is the 22nd field of its "stat". The second is in parentheses, and can contain anything. */
    private static final int BEGINNING = 22 - 2;

    /**
     * What is known.
     *
     * @param process this process's number
     * @param gettid asks for the current thread's number; null if the C library does not have it
     * @param beginning when the process began; 0 if beginnings are not to be compared. They are not if the numbers in
     *     {@code /proc} are other threads'
     */
    private record Known(int process, @Nullable MethodHandle gettid, long beginning) {}

    private KernelThreads() {}

    /** Finds out what has to be found out once, which notes when the process began. If it throws, call it again. */
    public static void prepare() {
        Known _ = known();
    }

    private static Known known() {
        Known before = known;
        return before == null ? find() : before;
    }

    private static synchronized Known find() {
        Known found = known;
        if (found == null) {
            int process = Math.toIntExact(ProcessHandle.current().pid());
            found = new Known(
                    process,
                    bind("gettid", FunctionDescriptor.of(JAVA_INT)),
                    isProcOfThisNamespace(process) ? beginning(process) : 0);
            known = found;
        }
        return found;
    }

    /** The number of the thread that this one, virtual or not, runs on; 0 if the C library does not provide it. */
    public static int current() {
        MethodHandle gettid = known().gettid;
        if (gettid == null) {
            return 0;
        }
        try {
            return (int) gettid.invokeExact();
        } catch (Throwable t) {
            throw LibcCalls.rethrow(t);
        }
    }

    /**
     * Whether no thread of this process has the number. If the kernel refuses for another reason, such as a sandbox,
     * that cannot be told, and the result is false.
     */
    public static boolean hasEnded(int thread) {
        return Linux.askAfterThread(known().process, thread) == Linux.ESRCH;
    }

    private static boolean isProcOfThisNamespace(int process) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self")).toString().equals(Integer.toString(process));
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
        Known before = known();
        return before.beginning != 0 && beginning(before.process) == before.beginning;
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

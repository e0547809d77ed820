package dev.percpu.internal.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Threads of this process by the kernel's ids, which are the only names that C code has for them. */
public final class KernelThreads {
    /**
     * What has to be found out once. It is null until {@link #prepare}, and made by no class initializer: the first
     * library of C code may be declared when the heap is full, and after a failed initializer no owner of a guard could
     * be looked up any more.
     */
    private static volatile @Nullable Known known;

    /** The start time is the 22nd field of "stat". The second is in parentheses, and can contain anything. */
    private static final int START_TIME = 22 - 2;

    /**
     * What is known.
     *
     * @param process this process's id
     * @param gettid asks for the current thread's id; null if the C library does not have it
     * @param startTime the process's start time; 0 if start times are not to be compared. They are not if the ids in
     *     {@code /proc} are other threads'
     */
    private record Known(int process, @Nullable MethodHandle gettid, long startTime) {}

    private KernelThreads() {}

    /** Finds out what has to be found out once, which notes the process's start time. If it throws, call it again. */
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
                    isProcOfThisNamespace(process) ? startTime(process) : 0);
            known = found;
        }
        return found;
    }

    /** The id of the thread that this one, virtual or not, runs on; 0 if the C library does not provide it. */
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
     * Whether no thread of this process has the id. If the kernel refuses for another reason, such as a sandbox,
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
     * The start time of a thread of this process, in hundredths of a second since the system started; 0 if the thread
     * has ended, or if {@code /proc} does not tell it.
     */
    public static long startTime(int thread) {
        try {
            // Threads are named in any encoding.
            String stat = Files.readString(Path.of("/proc/self/task/" + thread + "/stat"), StandardCharsets.ISO_8859_1);
            return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 1).split(" ", -1)[START_TIME]);
        } catch (IOException | RuntimeException unknown) {
            return 0;
        }
    }

    /**
     * Whether start times can be compared with those from before. A checkpoint and restore gives all threads new start
     * times, with the ids that they had.
     */
    public static boolean isProcessTheSame() {
        Known before = known();
        return before.startTime != 0 && startTime(before.process) == before.startTime;
    }

    /** For messages: the thread's id, and its name while it runs. */
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
        return LibcCalls.exported(name)
                .map(symbol -> LibcCalls.bind(symbol, descriptor))
                .orElse(null);
    }
}

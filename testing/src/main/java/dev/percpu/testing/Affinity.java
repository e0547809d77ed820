package dev.percpu.testing;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.BitSet;

/** Which CPUs a thread may run on. */
final class Affinity {
    private static final int ESRCH = 3;
    private static final int EINVAL = 22;

    /** Room for 8192 CPUs, the most a kernel can be built for. */
    private static final long MASK_BYTES = 1024;

    private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private static final MethodHandle GET = function("sched_getaffinity");
    private static final MethodHandle SET = function("sched_setaffinity");

    private Affinity() {}

    /** The CPUs that the main thread may run on and that are online, read anew on each call. */
    static BitSet ofMainThread() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            MemorySegment mask = arena.allocate(MASK_BYTES, Long.BYTES);
            int mainThread = (int) ProcessHandle.current().pid();
            int result = (int) GET.invokeExact(state, mainThread, MASK_BYTES, mask);
            if (result != 0) {
                throw new AssertionError("sched_getaffinity failed: errno " + errno(state));
            }
            return BitSet.valueOf(mask.toArray(JAVA_BYTE));
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    /** Binds a thread to CPUs. False if the thread has ended meanwhile, or no such CPU is online any more. */
    static boolean bind(int thread, BitSet cpus) {
        int errno;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            MemorySegment mask = arena.allocate(MASK_BYTES, Long.BYTES);
            byte[] bytes = cpus.toByteArray();
            MemorySegment.copy(bytes, 0, mask, JAVA_BYTE, 0, bytes.length);
            int result = (int) SET.invokeExact(state, thread, MASK_BYTES, mask);
            errno = result == 0 ? 0 : errno(state);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
        return switch (errno) {
            case 0 -> true;
            case ESRCH, EINVAL -> false;
            default ->
                throw new AssertionError("thread " + thread + " cannot be bound to CPUs " + cpus + ": errno " + errno);
        };
    }

    private static int errno(MemorySegment state) {
        return (int) ERRNO.get(state, 0L);
    }

    private static MethodHandle function(String name) {
        return CLibrary.function(
                name,
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
                Linker.Option.captureCallState("errno"));
    }
}

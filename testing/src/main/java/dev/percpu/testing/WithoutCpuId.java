package dev.percpu.testing;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.function.IntConsumer;

/**
 * Threads whose registration for restartable sequences is undone, so that the kernel does not tell them their CPU: it
 * sets such a thread's CPU id to -1. This lasts until the thread ends, so do not do it on a virtual thread: its carrier
 * would stay without a CPU id.
 */
public final class WithoutCpuId {
    private static final int UNREGISTER = 1;
    private static final int REGISTRATION_FAILED = -2;

    /** Offset of {@code cpu_id} in the kernel's {@code struct rseq}. */
    private static final int CPU_ID = 4;

    /** The kernel wants the size that the C library registered with: it is 32 for the original structure. */
    private static final int[] REGISTERED_SIZES = {32, 33, 40, 48, 64};

    private static final MethodHandle THREAD_POINTER = Linker.nativeLinker()
            .downcallHandle(MachineCode.map(Machine.current().readThreadPointer()), FunctionDescriptor.of(JAVA_LONG));

    private static final MethodHandle SYSCALL = CLibrary.function(
            "syscall",
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT),
            Linker.Option.firstVariadicArg(1));

    private WithoutCpuId() {}

    /** A task for several threads, of which those with an even number have no CPU id. */
    public static IntConsumer everySecond(IntConsumer task) {
        return number -> {
            if (number % 2 == 0) {
                unregisterThisThread();
            }
            task.accept(number);
        };
    }

    /**
     * Undoes the C library's registration of the calling thread, and has it look like one that failed: the C library
     * does not try again for the threads that this thread starts, nor for those that they start. The CPU id of them all
     * is -2.
     */
    public static void unregisterThisThreadAndThoseItStarts() {
        leave(REGISTRATION_FAILED);
    }

    /**
     * Undoes the C library's registration of the calling thread, and leaves a CPU id that nobody keeps up to date. A
     * thread looks the same if it was restored from a checkpoint without its registration.
     */
    public static void leave(int cpuId) {
        unregisterThisThread();
        MemorySegment.ofAddress(area() + CPU_ID).reinterpret(Integer.BYTES).set(JAVA_INT, 0, cpuId);
    }

    /** Undoes the C library's registration of the calling thread. */
    public static void unregisterThisThread() {
        Machine machine = Machine.current();
        long number = machine.number(Machine.Call.RSEQ);
        long area = area();
        try {
            for (int size : REGISTERED_SIZES) {
                long result = (long) SYSCALL.invokeExact(number, area, size, UNREGISTER, machine.rseqSignature());
                if (result == 0) {
                    return;
                }
            }
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
        throw new AssertionError("the kernel does not undo the registration of any known size");
    }

    /** Where the calling thread's {@code struct rseq} is, which the C library registered. */
    private static long area() {
        long offset = CLibrary.variable("__rseq_offset", Long.BYTES).get(JAVA_LONG, 0);
        try {
            return (long) THREAD_POINTER.invokeExact() + offset;
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}

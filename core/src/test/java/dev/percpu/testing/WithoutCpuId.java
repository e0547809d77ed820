package dev.percpu.testing;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.internal.linux.Architecture;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.RseqRegistration;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.function.IntConsumer;

/**
 * Threads whose registration for restartable sequences is undone, so that the kernel does not tell them their CPU: it sets
 * such a thread's CPU id to -1. It is for good, so it is nothing for the carrier of a virtual thread.
 */
public final class WithoutCpuId {
    private static final int UNREGISTER = 1;
    private static final int REGISTRATION_FAILED = -2;

    /** What the C library registered with. */
    private static final int SIGNATURE = Architecture.current() == Architecture.X86_64 ? 0x53053053 : 0xd428bc00;

    /** The kernel wants the size that the C library registered with: it is 32 for the original structure. */
    private static final int[] REGISTERED_SIZES = {32, 33, 40, 48, 64};

    /** mov rax,fs:0 and ret; mrs x0, tpidr_el0 and ret. */
    private static final MethodHandle THREAD_POINTER = Linux.bind(
            MachineCode.map("64488b042500000000c3", "40d03bd5c0035fd6").address(), FunctionDescriptor.of(JAVA_LONG));

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
     * Undoes the C library's registration of the calling thread, and has it look like one that failed: the C library does
     * not try again for the threads that this thread starts, nor for those that they start. The CPU id of them all is -2.
     */
    public static void unregisterThisThreadAndThoseItStarts() {
        unregisterThisThread();
        long cpuId = threadPointer() + RseqRegistration.read().offset() + RseqRegistration.CPU_ID;
        MemorySegment.ofAddress(cpuId).reinterpret(Integer.BYTES).set(JAVA_INT, 0, REGISTRATION_FAILED);
    }

    /** Undoes the C library's registration of the calling thread. */
    public static void unregisterThisThread() {
        RseqRegistration registration = RseqRegistration.read();
        Linker linker = Linker.nativeLinker();
        MethodHandle syscall = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("syscall"),
                FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT),
                Linker.Option.firstVariadicArg(1));
        long area = threadPointer() + registration.offset();
        try {
            for (int size : REGISTERED_SIZES) {
                long result = (long) syscall.invokeExact(rseqNumber(), area, size, UNREGISTER, SIGNATURE);
                if (result == 0) {
                    return;
                }
            }
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
        throw new AssertionError("the kernel does not undo the registration of any known size");
    }

    private static long rseqNumber() {
        return Architecture.current() == Architecture.X86_64 ? 334 : 293;
    }

    private static long threadPointer() {
        try {
            return (long) THREAD_POINTER.invokeExact();
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}

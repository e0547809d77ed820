package dev.percpu.internal.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.jspecify.annotations.Nullable;

/**
 * The calls to libc and the kernel that this library makes. Each is one method, which throws a {@link LinuxException}
 * with the call's name and errno if the kernel refuses.
 *
 * <p>Loading this class fails with an {@link IllegalCallerException} where native access is denied and with an
 * {@link UnsatisfiedLinkError} or {@link UnsupportedOperationException} where this is not a Linux with these calls;
 * {@link Platform} decides once whether it may be touched.
 */
public final class Linux {
    public static final int EPERM = 1;
    public static final int ESRCH = 3;
    public static final int ENOSYS = 38;

    private static final int RLIMIT_AS = 9;

    private static final int PROT_NONE = 0;
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int PROT_EXEC = 4;
    private static final int OPEN = PROT_READ | PROT_WRITE;
    private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
    private static final int MAP_FIXED = 0x10;
    private static final int MAP_NORESERVE = 0x4000;
    private static final int MAPPING = MAP_PRIVATE_ANONYMOUS | MAP_NORESERVE;
    private static final long NO_FILE = -1;
    private static final int MADV_DONTNEED = 4;
    private static final int MADV_NOHUGEPAGE = 15;

    private static final int MEMBARRIER_PRIVATE_EXPEDITED = 1 << 3;
    private static final int MEMBARRIER_REGISTER_PRIVATE_EXPEDITED = 1 << 4;
    private static final int MEMBARRIER_PRIVATE_EXPEDITED_RSEQ = 1 << 7;
    private static final int MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_RSEQ = 1 << 8;
    private static final int MEMBARRIER_FLAG_CPU = 1;

    private static final MemorySegment MMAP = LibcCalls.symbol("mmap");
    private static final MemorySegment MPROTECT = LibcCalls.symbol("mprotect");
    private static final MemorySegment MUNMAP = LibcCalls.symbol("munmap");
    private static final MemorySegment GETRLIMIT = LibcCalls.symbol("getrlimit");
    private static final MemorySegment MADVISE = LibcCalls.symbol("madvise");
    private static final MemorySegment SYSCALL = LibcCalls.symbol("syscall");
    private static final MemorySegment GET_CPU = LibcCalls.symbol("sched_getcpu");

    /** On the hot path of the atomic back end. */
    private static final class CurrentCpu {
        /** Critical, since it only reads two words of the vDSO. */
        private static final MethodHandle GET = LibcCalls.bind(GET_CPU, FunctionDescriptor.of(JAVA_INT));
    }

    private Linux() {}

    /**
     * Reserves zeroed, private, readable and writable memory, page aligned. A page exists only once it is touched, and
     * none is a huge page.
     */
    public static MemorySegment reserve(long bytes) {
        return map(bytes, OPEN);
    }

    /**
     * Reserves address space that cannot be accessed. {@link #open} makes parts of it memory like that of {@link
     * #reserve}. Until then no kernel counts it as memory or makes it resident, not even under strict overcommit or
     * after {@code mlockall}.
     */
    public static MemorySegment reserveClosed(long bytes) {
        return map(bytes, PROT_NONE);
    }

    /** Makes a part of a mapping readable and writable. */
    public static void open(MemorySegment part) {
        protect(part, OPEN, "PROT_READ | PROT_WRITE");
    }

    /**
     * Like {@link #open}, but does not ask why the kernel refuses: it is for want of memory. To ask, the JVM would link
     * another call at first, which takes milliseconds and memory, and loads classes.
     *
     * @return false if the kernel refuses
     */
    public static boolean tryOpen(MemorySegment part) {
        return LibcCalls.tryCall(MPROTECT, part.address(), part.byteSize(), OPEN, 0, 0, 0);
    }

    /**
     * Undoes {@link #open}. The part loses what it contains. Like {@link #tryOpen}, this does not ask why the kernel
     * refuses.
     *
     * @return false if the kernel refuses; then the part may still be open
     */
    public static boolean close(MemorySegment part) {
        boolean closed =
                LibcCalls.tryCall(MMAP, part.address(), part.byteSize(), PROT_NONE, MAPPING | MAP_FIXED, NO_FILE, 0);
        if (closed) {
            advise(part, MADV_NOHUGEPAGE);
        }
        return closed;
    }

    /**
     * Gives the memory of whole pages back to the kernel. They are zero from then on, and new pages once they
     * are touched.
     *
     * @return false if the kernel refuses, as it does if the pages are locked
     */
    public static boolean discard(MemorySegment part) {
        return advise(part, MADV_DONTNEED);
    }

    /**
     * Removes a mapping. Like {@link #tryOpen}, this does not ask why the kernel refuses.
     *
     * @return false if the kernel refuses; then the mapping stays
     */
    public static boolean unmap(MemorySegment mapping) {
        return LibcCalls.tryCall(MUNMAP, mapping.address(), mapping.byteSize(), 0, 0, 0, 0);
    }

    /** {@link #unmap} as a function of an address and a size. It keeps no class of this library alive. */
    public static MethodHandle unmapping() {
        MethodHandle call = MethodHandles.insertArguments(LibcCalls.CALL, 3, 0L, 0L, 0L, 0L);
        return MethodHandles.insertArguments(call, 0, MUNMAP)
                .asType(MethodType.methodType(void.class, long.class, long.class));
    }

    /** How many bytes of address space this process may take; {@link Long#MAX_VALUE} if there is no limit. */
    public static long addressSpaceLimit() {
        try (Arena arena = Arena.ofConfined()) {
            // The soft limit and the hard limit.
            MemorySegment limit = arena.allocate(2 * JAVA_LONG.byteSize(), JAVA_LONG.byteAlignment());
            int errno = call(GETRLIMIT, RLIMIT_AS, limit.address(), 0, 0);
            long bytes = limit.get(JAVA_LONG, 0);
            return errno != 0 || bytes < 0 ? Long.MAX_VALUE : bytes;
        }
    }

    private static MemorySegment map(long bytes, int protection) {
        MemorySegment mapping = mapUnadvised(bytes, protection);
        // A kernel without huge pages refuses the advice (EINVAL); then there are none to avoid.
        advise(mapping, MADV_NOHUGEPAGE);
        return mapping;
    }

    private static MemorySegment mapUnadvised(long bytes, int protection) {
        long address = LibcCalls.call(MMAP, 0, bytes, protection, MAPPING, NO_FILE, 0);
        if (address < 0) {
            throw new LinuxException("mmap of " + bytes + " bytes", (int) -address);
        }
        @Nullable MemorySegment mapping = null;
        try {
            mapping = MemorySegment.ofAddress(address).reinterpret(bytes);
            return mapping;
        } finally {
            if (mapping == null) {
                int _ = call(MUNMAP, address, bytes, 0, 0);
            }
        }
    }

    /** Makes a mapping readable and executable, and no longer writable. */
    public static void makeExecutable(MemorySegment mapping) {
        protect(mapping, PROT_READ | PROT_EXEC, "PROT_READ | PROT_EXEC");
    }

    private static void protect(MemorySegment part, int protection, String name) {
        int errno = call(MPROTECT, part.address(), part.byteSize(), protection, 0);
        if (errno != 0) {
            throw new LinuxException("mprotect(" + name + ") of " + part.byteSize() + " bytes", errno);
        }
    }

    /**
     * Like {@link #tryOpen}, this does not ask why the kernel refuses.
     *
     * @return false if it refuses
     */
    private static boolean advise(MemorySegment mapping, int advice) {
        return LibcCalls.tryCall(MADVISE, mapping.address(), mapping.byteSize(), advice, 0, 0, 0);
    }

    /** Calls {@link #currentCpu}, so that the JVM links that now. At the first use the heap may be full. */
    public static void prepareCurrentCpu() {
        int _ = currentCpu();
    }

    /**
     * The CPU that the calling thread runs on. The thread may be on another CPU by the time the caller uses the result.
     */
    public static int currentCpu() {
        try {
            int cpu = (int) CurrentCpu.GET.invokeExact();
            if (cpu < 0) {
                throw new LinuxException("sched_getcpu", ENOSYS);
            }
            return cpu;
        } catch (Throwable t) {
            throw LibcCalls.rethrow(t);
        }
    }

    /**
     * Calls one harmless function, to see whether the C library can be called.
     *
     * @throws LinuxException if that function does not work here
     */
    static void probe() {
        int cpu = (int) LibcCalls.call(GET_CPU, 0, 0, 0, 0, 0, 0);
        if (cpu < 0) {
            throw new LinuxException("sched_getcpu", ENOSYS);
        }
    }

    /** Tells the kernel that this process will ask for {@link #restartSequencesOn}. */
    public static void registerForSequenceRestarts() {
        check(membarrier(MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0), MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_RSEQ);
    }

    /**
     * Restarts any restartable sequence of this process in flight on {@code cpu}, and is a full memory barrier on that
     * CPU. Once it has returned, no sequence there still relies on something it read before the call.
     */
    public static void restartSequencesOn(int cpu) {
        barrier(
                MEMBARRIER_PRIVATE_EXPEDITED_RSEQ,
                MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_RSEQ,
                MEMBARRIER_FLAG_CPU,
                cpu);
    }

    /** {@link #restartSequencesOn} for every CPU that runs a thread of this process. */
    public static void restartSequencesEverywhere() {
        barrier(MEMBARRIER_PRIVATE_EXPEDITED_RSEQ, MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0);
    }

    /**
     * Tells the kernel that this process will ask for {@link #barrierEverywhere}, and tries that once: a filter may
     * refuse barriers but not the registration for them.
     *
     * @return false if the kernel refuses either
     */
    public static boolean registerForBarriers() {
        return membarrier(MEMBARRIER_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0
                && membarrier(MEMBARRIER_PRIVATE_EXPEDITED, 0, 0) == 0;
    }

    /** A full memory barrier on every CPU that runs a thread of this process. */
    public static void barrierEverywhere() {
        barrier(MEMBARRIER_PRIVATE_EXPEDITED, MEMBARRIER_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    }

    /**
     * The kernel refuses with {@code EPERM} if the process is not registered. A process that was restored from a
     * checkpoint may have lost the registration, so this renews it once, as {@code percpu.h} does.
     */
    private static void barrier(int command, int registration, int flags, int cpu) {
        int errno = membarrier(command, flags, cpu);
        if (errno == EPERM) {
            check(membarrier(registration, 0, 0), registration);
            errno = membarrier(command, flags, cpu);
        }
        check(errno, command);
    }

    private static void check(int errno, int command) {
        if (errno != 0) {
            throw new LinuxException("membarrier(" + command + ")", errno);
        }
    }

    /** Returns the kernel's errno, or 0. */
    private static int membarrier(int command, int flags, int cpu) {
        return call(SYSCALL, Architecture.current().membarrierNumber(), command, flags, cpu);
    }

    /**
     * Calls {@code tgkill} for a thread of this process with signal 0, which sends nothing; returns the kernel's errno,
     * or 0.
     */
    static int askAfterThread(int process, int thread) {
        return call(SYSCALL, Architecture.current().tgkillNumber(), process, thread, 0);
    }

    /** Calls a function that returns 0 if all went well. Returns its errno, or 0. */
    static int call(MemorySegment function, long first, long second, long third, long fourth) {
        return -(int) LibcCalls.call(function, first, second, third, fourth, 0, 0);
    }

    /**
     * A handle for code that does not block and takes only a few instructions. Its address is the first argument of
     * each call.
     */
    public static MethodHandle bindVirtual(FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(descriptor, Linker.Option.critical(false));
    }
}

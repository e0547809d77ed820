package dev.percpu.internal.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/** The CPUs that the calling thread may run on. Of a virtual thread that is its carrier. */
public final class Affinity {
    /**
     * Room for 8192 CPUs, the most that a kernel can be built for; the kernel accepts any size that covers its
     * own CPUs.
     */
    private static final int BYTES = 1024;

    private static final int CALLING_THREAD = 0;

    private static final MemorySegment GET = LibcCalls.symbol("sched_getaffinity");
    private static final MemorySegment SET = LibcCalls.symbol("sched_setaffinity");

    private Affinity() {}

    public static BitSet get() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(BYTES, Long.BYTES);
            int errno = Linux.call(GET, CALLING_THREAD, BYTES, mask.address(), 0);
            if (errno != 0) {
                throw new LinuxException("sched_getaffinity of thread " + CALLING_THREAD, errno);
            }
            return BitSet.valueOf(mask.asByteBuffer());
        }
    }

    public static void set(BitSet cpus) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(BYTES, Long.BYTES);
            byte[] bytes = cpus.toByteArray();
            MemorySegment.copy(bytes, 0, mask, JAVA_BYTE, 0, bytes.length);
            int errno = Linux.call(SET, CALLING_THREAD, BYTES, mask.address(), 0);
            if (errno != 0) {
                throw new LinuxException("sched_setaffinity of thread " + CALLING_THREAD + " to CPUs " + cpus, errno);
            }
        }
    }

    /** Binds the thread to one CPU. */
    public static void bind(int cpu) {
        BitSet only = new BitSet();
        only.set(cpu);
        set(only);
    }
}

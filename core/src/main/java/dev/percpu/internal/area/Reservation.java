package dev.percpu.internal.area;

import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.internal.linux.Platform;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The area's address space, which is as large as the limits of the process allow.
 *
 * <p>Places begin at multiples of the stride, a power of two, since sequences shift a CPU's id. So the instances of a
 * variable in two places have the lower bits of their addresses in common, and some processors (AMD's, since Zen)
 * select the way of their first-level cache by a hash of the bits 12 to 27. Of two lines with the same hash and in the
 * same set, the cache finds only the one that was used last. A thread that uses the same position in two places by
 * turns then waits for the second-level cache each time: it took twice as long to lock a read lock. A thread can need
 * three places: its CPU's, its own, and the one with the gates. So the last two are further apart than the stride, by
 * different amounts: one flips bit 16 or has a carry that flips bit 20, the other flips bit 20, so that the hash
 * differs wherever the area begins. (The hash combines bit 20 with bit 15, and bits 16 to 19 with bits 21 to 24.)
 * Gates have a place of their own, since C code needs the spare one where it is.
 *
 * @param memory all of it
 * @param stride the size of each place
 */
record Reservation(MemorySegment memory, long stride) {
    /** A place is opened by a multiple of this, which is itself a multiple of the kernel's page size. */
    static final long OPENED_AT_ONCE = 1L << 16;

    /** How much further the gates begin; a multiple of every kernel's page size. */
    private static final long GATES_SHIFTED = 1L << 16;

    /** How much further own places begin. */
    private static final long OWN_SHIFTED = 1L << 20;

    /** At its end, the area has a part that is opened for moments only: see {@link #leftToTheJvm}. */
    private static final long LEFT_TO_THE_JVM = 8L << 20;

    private static final long PAGE = 4096;

    /** If address space is scarce, places shrink to this size, but no further. Only a user can choose a smaller one. */
    static final long LEAST_SHRUNK = 1L << 20;

    /** The next multiple of {@link #OPENED_AT_ONCE}. */
    static long roundUp(long bytes) {
        return (bytes + OPENED_AT_ONCE - 1) & -OPENED_AT_ONCE;
    }

    /**
     * Reserves the area, and opens the first part of the places of CPUs, of the spare place and of that of the gates,
     * which includes the header. If there is no address space for the stride that is wanted, it is halved. If address
     * space is limited, the area leaves room for the JVM, unless the user has set the stride, or it cannot shrink
     * further. To see that there is room, this method maps it for a moment.
     */
    static Reservation reserve(int cpus, int owns) {
        int places = cpus + owns + 2;
        long room = Stride.roomIfLimited(Linux.addressSpaceLimit());
        boolean asked = Stride.isSet();
        for (long stride = Stride.wanted(places); ; stride /= 2) {
            try {
                return asked || room == 0 || stride <= LEAST_SHRUNK
                        ? reserveOnce(stride, cpus, owns)
                        : reserveBeside(room, stride, cpus, owns);
            } catch (LinuxException refused) {
                if (stride <= LEAST_SHRUNK) {
                    throw new IllegalStateException(
                            "no address space for the per-CPU area, not even " + stride + " bytes for each of its "
                                    + places + " places: raise the process's limits (ulimit -v, ulimit -d, or, with"
                                    + " mlockall, ulimit -l), or set a smaller -D" + Stride.PROPERTY + " or -D"
                                    + OwnPlaces.PROPERTY,
                            refused);
                }
                asked = false;
            }
        }
    }

    /** Takes the room before the area: if one of the two is refused, nothing else has to be undone. */
    private static Reservation reserveBeside(long room, long stride, int cpus, int owns) {
        MemorySegment kept = Linux.reserveClosed(room);
        try {
            return reserveOnce(stride, cpus, owns);
        } finally {
            boolean _ = Linux.unmap(kept);
        }
    }

    private static Reservation reserveOnce(long stride, int cpus, int owns) {
        long bytes = roundUp(Math.addExact(bytes(stride, cpus, owns), bytesLeftToTheJvm(stride)));
        long open = firstOpened(stride);
        if (open == stride) {
            return new Reservation(Linux.reserve(bytes), stride);
        }
        MemorySegment memory = Linux.reserveClosed(bytes);
        try {
            for (int place = 0; place <= cpus; place++) {
                Linux.open(memory.asSlice(place * stride, open));
            }
            Reservation area = new Reservation(memory, stride);
            Linux.open(memory.asSlice(area.gates(cpus), open));
            return area;
        } catch (LinuxException refused) {
            // If the kernel refuses this too, the caller has to hear of the first refusal.
            boolean _ = Linux.unmap(memory);
            throw refused;
        }
    }

    /** All places: of the CPUs, the spare one, that of the gates, the threads' own; and what lies between. */
    private static long bytes(long stride, int cpus, int owns) {
        return Math.addExact(Math.multiplyExact(stride, cpus + owns + 2L), isShifted(stride) ? OWN_SHIFTED : 0);
    }

    /** Places of a small area are not shifted: a user who asks for a small area wants to use little memory. */
    private static boolean isShifted(long stride) {
        return stride >= LEAST_SHRUNK;
    }

    /** Where the place of the gates begins, behind the spare one. */
    long gates(int cpus) {
        return (cpus + 1) * stride + (isShifted(stride) ? GATES_SHIFTED : 0);
    }

    /** Where a thread's own place begins, behind that of the gates. */
    long own(int place) {
        return (place + 1) * stride + (isShifted(stride) ? OWN_SHIFTED : 0);
    }

    /**
     * A JVM that gets no memory ends. So before the library opens more of the places, it opens this part, as a test
     * whether the kernel allows that much more, and closes it afterwards. This part belongs to the area, so an error in
     * between cannot lose it.
     */
    MemorySegment leftToTheJvm() {
        return memory.asSlice(memory.byteSize() - bytesLeftToTheJvm(stride));
    }

    /**
     * How many bytes {@link #leftToTheJvm} has: fewer where address space is scarce, and none in an area that is open
     * from the start.
     */
    private static long bytesLeftToTheJvm(long stride) {
        return Platform.hasSystemCalls() && firstOpened(stride) < stride ? Math.min(LEFT_TO_THE_JVM, stride) : 0;
    }

    /** How much of each place is opened at first. */
    static long firstOpened(long stride) {
        return Math.min(OPENED_AT_ONCE, stride);
    }

    /** Without system calls the area cannot be reserved, only allocated. */
    static Reservation allocate(int cpus, int owns) {
        long stride = Stride.wanted(cpus + owns + 2);
        return new Reservation(Arena.global().allocate(bytes(stride, cpus, owns), PAGE), stride);
    }
}

package dev.percpu.internal.area;

import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.internal.linux.Platform;
import dev.percpu.internal.linux.Topology;
import dev.percpu.memory.AreaFullException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The per-CPU area: one mapping in which every CPU has a place of the same size, and a variable lies at the same
 * <em>position</em> in each.
 *
 * <pre>
 * BASE            BASE + STRIDE        ...   BASE + CPUS * STRIDE
 * | CPU 0         | CPU 1              ...   | spare       |
 * | header | vars | header | vars      ...   | vars        |
 *            ^ position p     ^ position p
 * </pre>
 *
 * <p>The last place is the spare one: threads without a CPU id count there, atomically. There is a place for every id
 * up to the highest possible CPU id, so that an id is an index. The address space is reserved, but not touched. A page
 * comes into being on the CPU that first writes it, and so on that CPU's NUMA node. A CPU that never runs
 * costs nothing.
 *
 * <p>Everything is static because the JIT compiler trusts {@code static final} fields, and the hot paths compute with
 * {@link #BASE} and {@link #SHIFT}.
 */
public final class Area {
    /** Sets the size of each CPU's place: a power of two, in bytes, or as in 512k, 64m, 1g. */
    public static final String STRIDE_PROPERTY = Stride.PROPERTY;

    public static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    public static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    public static final VarHandle SHORT = ValueLayout.JAVA_SHORT.varHandle();
    public static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();

    /** How many CPUs have a place: the highest possible id plus one. */
    public static final int CPUS = Topology.capacity();

    /** Names the spare place where a CPU is expected. */
    public static final int SPARE = CPUS;

    /** The whole mapping. Java code reads and writes through it, checked against its bounds. */
    public static final MemorySegment MEMORY;

    public static final long BASE;
    public static final int SHIFT;
    public static final long STRIDE;

    /** If address space is scarce, the area shrinks to this, but no further. */
    private static final long SMALLEST_STRIDE = 1L << 20;

    /**
     * A place is opened by a multiple of this, which is itself a multiple of the kernel's page size, and, if the kernel
     * allows it, by at least an eighth of what is open already.
     */
    private static final long OPENED_AT_ONCE = 1L << 16;

    private static final int OPENED_SHARE = 8;

    private static final long PAGE = 4096;

    /** No position. */
    private static final long OUTSIDE = -1;

    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[(int) PAGE]);

    /** Two cache lines: processors fetch the neighbour of a line along with it. */
    private static final long UNSHARED = 128;

    static {
        long wanted = Stride.wanted(CPUS + 1);
        MemorySegment memory = Platform.hasSystemCalls() ? reserve(wanted) : allocate(wanted);
        MEMORY = memory;
        BASE = memory.address();
        STRIDE = memory.byteSize() / (CPUS + 1);
        SHIFT = Long.numberOfTrailingZeros(STRIDE);
    }

    /**
     * So many bytes of each place can be read and written; the rest is only address space. So neither strict overcommit
     * nor {@code mlockall} counts more of a place as memory than variables have used. Only a thread that holds the
     * allocator's lock changes it.
     */
    private static volatile long opened = Platform.hasSystemCalls() ? firstOpened(STRIDE) : STRIDE;

    private static final PositionAllocator POSITIONS = new PositionAllocator(CpuHeader.SIZE, STRIDE, Area::open);

    /**
     * What to do once the class loader of this library has been collected, made of JDK code alone. Then the mapping is
     * removed. No user can still have its address, since {@link #LENT} keeps the loader alive.
     */
    private static final AtomicReference<MethodHandle> AT_END =
            new AtomicReference<>(Platform.hasSystemCalls() ? Linux.unmapping(MEMORY) : DetachedThread.nothing());

    /**
     * The segment from which users get theirs. As long as they have one, its scope keeps this class alive, and so the
     * mapping. Segments of {@link #MEMORY} have the global scope, which keeps nothing alive.
     */
    private static final MemorySegment LENT = Platform.hasSystemCalls() ? lend(BASE, MEMORY.byteSize()) : MEMORY;

    private static final Holdings HOLDINGS = new Holdings(Area::free, DetachedThread.later(AT_END));

    private static final Shortage SHORTAGE = new Shortage(HOLDINGS);

    private Area() {}

    /** Where a position lies in {@link #MEMORY} for a CPU or for {@link #SPARE}. */
    public static long offset(int cpu, long position) {
        return ((long) cpu << SHIFT) + position;
    }

    /** A variable's memory on one CPU. */
    public static MemorySegment slice(int cpu, long position, long bytes) {
        return LENT.asSlice(offset(cpu, position), bytes);
    }

    @SuppressWarnings("MustBeClosed") // it is never closed
    private static MemorySegment lend(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes, Arena.ofShared(), Area::keepThisClass);
    }

    /**
     * The cleanup action of the lent segment, which does nothing. Until its arena is closed, the arena's segments refer
     * to it, and so to this class.
     */
    private static void keepThisClass(MemorySegment closed) {}

    /** Keeps the mapping even after the class loader of this library is gone, because C code continues to use it. */
    public static void keepMapped() {
        AT_END.set(DetachedThread.nothing());
    }

    /**
     * Takes a piece of every CPU's place; it is zero on each. If none is left, this asks the garbage collector to find
     * pieces that are no longer reachable: see {@link Shortage}.
     *
     * @param owner a description of the caller, for the message
     * @throws dev.percpu.memory.AreaFullException if there is still none left
     */
    public static long allocate(long bytes, long alignment, String owner) {
        try {
            return POSITIONS.allocate(bytes, alignment, owner);
        } catch (AreaFullException full) {
            return SHORTAGE.retry(
                    () -> POSITIONS.allocate(bytes, alignment, owner), () -> bytes - POSITIONS.freeBytes(), full);
        }
    }

    /** Gives a piece back, and zeroes it for its next owner. It must no longer be reachable by anyone. */
    public static void free(long position, long bytes) {
        for (int cpu = 0; cpu <= CPUS; cpu++) {
            clear(MEMORY.asSlice(offset(cpu, position), bytes));
        }
        POSITIONS.free(position, bytes);
    }

    /**
     * Takes a piece that is given back once {@code holder} is unreachable, so that no thread can be about to use the
     * piece. It cannot be given back earlier: a thread that had read the position and was preempted would write into
     * memory of the next owner.
     */
    public static int allocateFor(Object holder, long bytes, long alignment, String owner) {
        return hold(holder, bytes, alignment, owner).position();
    }

    private static Holdings.Holding hold(Object holder, long bytes, long alignment, String owner) {
        Holdings.Holding holding = HOLDINGS.prepare(holder);
        boolean holds = false;
        try {
            HOLDINGS.hold(holding, allocate(bytes, alignment, owner), bytes);
            holds = true;
        } finally {
            if (!holds) {
                HOLDINGS.giveBack(holding);
            }
        }
        return holding;
    }

    /**
     * Takes a piece that is given back when it is closed, or once none of its segments is reachable. Anyone can keep a
     * segment, and it must never reach memory of the next owner.
     */
    @SuppressWarnings("MustBeClosed") // it is closed by the slices, or becomes unreachable with them
    public static Slices collectable(long bytes, long alignment, String owner) {
        MemorySegment[] slices = new MemorySegment[CPUS];
        if (!Platform.hasSystemCalls()) {
            Arena arena = Arena.ofAuto();
            // Only a restricted method can narrow a segment's lifetime, so this is memory outside the area.
            Arrays.setAll(slices, cpu -> arena.allocate(bytes, Math.max(alignment, UNSHARED)));
            return new Slices(OUTSIDE, List.of(slices), null, null);
        }
        Arena arena = Arena.ofShared();
        // All of its segments refer to the scope; none refers to the arena.
        Holdings.Holding holding = hold(arena.scope(), bytes, alignment, owner);
        long position = holding.position();
        Arrays.setAll(
                slices,
                cpu -> MemorySegment.ofAddress(BASE + offset(cpu, position))
                        .reinterpret(bytes, arena, cpu == 0 ? Area::keepThisClass : null));
        return new Slices(position, List.of(slices), arena, holding);
    }

    /** Gives a holder's piece back at once. */
    static void giveBack(Holdings.Holding holding) {
        HOLDINGS.giveBack(holding);
    }

    /** How many bytes of each place can be read and written. */
    public static long openedBytesPerCpu() {
        return opened;
    }

    /**
     * Opens all places up to {@code end}, and somewhat further, since each call costs one system call for each place.
     */
    private static void open(long end, String owner) {
        if (end <= opened) {
            return;
        }
        try {
            openTo(Math.max(end, opened + opened / OPENED_SHARE));
        } catch (LinuxException refused) {
            try {
                openTo(end);
            } catch (LinuxException refusedAgain) {
                var full = new AreaFullException(owner + " needs memory of the per-CPU area that the kernel refuses: "
                        + refusedAgain.getMessage() + " for each of " + CPUS
                        + " CPUs. Close variables that are no longer"
                        + " needed, or raise the limit on committed memory"
                        + " (vm.overcommit_memory), on data (ulimit -d), or, with mlockall, on locked memory"
                        + " (ulimit -l)");
                full.initCause(refusedAgain);
                throw full;
            }
        }
    }

    /** If it fails for one place, the next call opens those before it a second time. */
    private static void openTo(long end) {
        long rounded = Math.min(roundUp(end), STRIDE);
        for (int cpu = 0; cpu <= CPUS; cpu++) {
            Linux.open(MEMORY.asSlice(offset(cpu, opened), rounded - opened));
        }
        opened = rounded;
    }

    private static long roundUp(long bytes) {
        return (bytes + OPENED_AT_ONCE - 1) & -OPENED_AT_ONCE;
    }

    /** How many bytes of each CPU's place are in use by variables, header included. */
    public static long usedBytesPerCpu() {
        return CpuHeader.SIZE + POSITIONS.usedBytes();
    }

    /** Zeroes a piece, and returns as much of its memory to the kernel as possible. */
    private static void clear(MemorySegment piece) {
        long start = piece.address();
        long from = roundUp(start) - start;
        long to = ((start + piece.byteSize()) & -OPENED_AT_ONCE) - start;
        if (from < to && Platform.hasSystemCalls() && Linux.discard(piece.asSlice(from, to - from))) {
            overwrite(piece.asSlice(0, from));
            overwrite(piece.asSlice(to));
        } else {
            overwrite(piece);
        }
    }

    /** Writes only where something is not zero, since a write creates a page, and does so on the writer's NUMA node. */
    private static void overwrite(MemorySegment piece) {
        for (long at = 0; at < piece.byteSize(); at += PAGE) {
            MemorySegment part = piece.asSlice(at, Math.min(PAGE, piece.byteSize() - at));
            if (part.mismatch(ZEROS.asSlice(0, part.byteSize())) >= 0) {
                part.fill((byte) 0);
            }
        }
    }

    private static MemorySegment reserve(long wanted) {
        for (long stride = wanted; ; stride /= 2) {
            try {
                return reserveOnce(stride);
            } catch (LinuxException refused) {
                if (stride <= SMALLEST_STRIDE) {
                    throw new IllegalStateException(
                            "no address space for the per-CPU area, not even " + stride + " bytes for each of " + CPUS
                                    + " CPUs: raise the process's limits (ulimit -v, ulimit -d, or, with mlockall,"
                                    + " ulimit -l), or set a smaller -D" + STRIDE_PROPERTY,
                            refused);
                }
            }
        }
    }

    /** Reserves the area and opens the first part of each place, which includes the header. */
    private static MemorySegment reserveOnce(long stride) {
        long bytes = Math.multiplyExact(stride, CPUS + 1L);
        long open = firstOpened(stride);
        if (open == stride) {
            return Linux.reserve(bytes);
        }
        MemorySegment memory = Linux.reserveClosed(bytes);
        try {
            for (int cpu = 0; cpu <= CPUS; cpu++) {
                Linux.open(memory.asSlice(cpu * stride, open));
            }
            return memory;
        } catch (LinuxException refused) {
            Linux.unmap(memory);
            throw refused;
        }
    }

    private static long firstOpened(long stride) {
        return Math.min(OPENED_AT_ONCE, stride);
    }

    /** Without system calls the area cannot be reserved, only allocated. */
    private static MemorySegment allocate(long stride) {
        return Arena.global().allocate(Math.multiplyExact(stride, CPUS + 1L), PAGE);
    }
}

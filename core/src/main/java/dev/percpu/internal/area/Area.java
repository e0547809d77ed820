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
 * <p>The last place is the spare one: threads without a CPU id count there, atomically. The places are as many as the
 * highest possible CPU id says, so that an id is an index. Address space is reserved and nothing is touched: a page
 * comes into being on the CPU, and so on the NUMA node, that first writes it, and a CPU that never runs costs nothing.
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

    /** Stands for the spare place where a CPU is named. */
    public static final int SPARE = CPUS;

    /** The whole mapping. Java code reads and writes through it, checked against its bounds. */
    public static final MemorySegment MEMORY;

    public static final long BASE;
    public static final int SHIFT;
    public static final long STRIDE;

    /** Where address space is tight the area shrinks to this, and no further. */
    private static final long SMALLEST_STRIDE = 1L << 20;

    /** A place is opened by multiples of this, which is a multiple of the kernel's pages, and by an eighth of it. */
    private static final long OPENED_AT_ONCE = 1L << 16;

    private static final int OPENED_SHARE = 8;

    private static final long PAGE = 4096;

    /** No position. */
    private static final long OUTSIDE = -1;

    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[(int) PAGE]);

    /** A cache line, and the one that is fetched with it. */
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
     * So many bytes of each place can be read and written; the rest is address space and nothing else. So neither a
     * strict overcommit nor {@code mlockall} makes more of a place count as memory than variables have had. Changed by
     * who has the allocator's lock.
     */
    private static volatile long opened = Platform.hasSystemCalls() ? firstOpened(STRIDE) : STRIDE;

    private static final PositionAllocator POSITIONS = new PositionAllocator(CpuHeader.SIZE, STRIDE, Area::open);

    /**
     * What is done when the class loader of this library has been collected, by code of the JDK alone. The mapping goes
     * then: nobody can have its address, as {@link #LENT} keeps the loader.
     */
    private static final AtomicReference<MethodHandle> AT_END =
            new AtomicReference<>(Platform.hasSystemCalls() ? Linux.unmapping(MEMORY) : DetachedThread.nothing());

    /**
     * What users get segments of. As long as they have one, its scope keeps this class, and so the mapping. Those of
     * {@link #MEMORY} have the scope of all, which keeps nothing.
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
     * Called for nothing when an arena is closed. Until then the arena's segments refer to it, and so to this class.
     */
    private static void keepThisClass(MemorySegment closed) {}

    /** Keeps the mapping even when the class loader of this library is gone, as C code goes on using it. */
    public static void keepMapped() {
        AT_END.set(DetachedThread.nothing());
    }

    /**
     * Takes a piece of every CPU's place; it is zero on each. If none is left, the collector is asked for pieces that
     * nobody can reach any more: see {@link Shortage}.
     *
     * @param owner who asks, for the message
     * @throws dev.percpu.memory.AreaFullException if none is left all the same
     */
    public static long allocate(long bytes, long alignment, String owner) {
        try {
            return POSITIONS.allocate(bytes, alignment, owner);
        } catch (AreaFullException full) {
            return SHORTAGE.retry(
                    () -> POSITIONS.allocate(bytes, alignment, owner), () -> bytes - POSITIONS.freeBytes(), full);
        }
    }

    /** Gives a piece back. Nobody may reach it any more; it is zeroed for the next. */
    public static void free(long position, long bytes) {
        for (int cpu = 0; cpu <= CPUS; cpu++) {
            clear(MEMORY.asSlice(offset(cpu, position), bytes));
        }
        POSITIONS.free(position, bytes);
    }

    /**
     * Takes a piece that is given back once {@code holder} is unreachable, and so no thread can be about to use the
     * piece. Not before: a thread that read the position and was preempted would write into the piece's next owner.
     */
    public static int allocateFor(Object holder, int bytes, long alignment, String owner) {
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
     * Takes a piece that is given back when it is closed, or once no segment of it is reachable: a segment can be kept
     * by anyone, and must never reach the piece's next owner.
     */
    @SuppressWarnings("MustBeClosed") // it is closed by the slices, or becomes unreachable with them
    public static Slices collectable(long bytes, long alignment, String owner) {
        MemorySegment[] slices = new MemorySegment[CPUS];
        if (!Platform.hasSystemCalls()) {
            Arena arena = Arena.ofAuto();
            // A segment's lifetime can be narrowed by a restricted method only, so this is memory outside the area.
            Arrays.setAll(slices, cpu -> arena.allocate(bytes, Math.max(alignment, UNSHARED)));
            return new Slices(OUTSIDE, List.of(slices), null, null);
        }
        Arena arena = Arena.ofShared();
        // All of its segments refer to the scope, and none to the arena.
        Holdings.Holding holding = hold(arena.scope(), bytes, alignment, owner);
        long position = holding.position();
        Arrays.setAll(
                slices,
                cpu -> MemorySegment.ofAddress(BASE + offset(cpu, position))
                        .reinterpret(bytes, arena, cpu == 0 ? Area::keepThisClass : null));
        return new Slices(position, List.of(slices), arena, holding);
    }

    /** Gives back, now, what a holder has. */
    static void giveBack(Holdings.Holding holding) {
        HOLDINGS.giveBack(holding);
    }

    /** How many bytes of each place can be read and written. */
    public static long openedBytesPerCpu() {
        return opened;
    }

    /** Opens all places up to {@code end}, and somewhat further, as each time costs a system call for each place. */
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
                var full = new AreaFullException(
                        owner + " needs memory of the per-CPU area that the kernel refuses: "
                                + refusedAgain.getMessage() + " for each of " + CPUS
                                + " CPUs. Close variables that are no longer"
                                + " needed, or raise the limit: that of memory which may be committed"
                                + " (vm.overcommit_memory), of data (ulimit -d), or, with mlockall, of locked memory (ulimit -l)");
                full.initCause(refusedAgain);
                throw full;
            }
        }
    }

    /** If it fails for some places, the next call does those again that did not. */
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

    /** The bytes of each CPU's place that variables have, header included. */
    public static long usedBytesPerCpu() {
        return CpuHeader.SIZE + POSITIONS.usedBytes();
    }

    /** Makes a piece zero again, and gives the kernel back what memory it can have. */
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

    /** Writes only where something is not zero already, since a write makes a page, and on the writer's NUMA node. */
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

    /** With the first part of each place open, the headers among it. */
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

    /** Without system calls nothing can be reserved, only allocated. */
    private static MemorySegment allocate(long stride) {
        return Arena.global().allocate(Math.multiplyExact(stride, CPUS + 1L), PAGE);
    }
}

package dev.percpu.internal.area;

import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.internal.linux.Platform;
import dev.percpu.internal.linux.Topology;
import dev.percpu.memory.AreaFullException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

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
    /** Sets the size of each CPU's place, in bytes. */
    public static final String STRIDE_PROPERTY = "percpu.area.stride";

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

    /** Address space costs little, and this is room for two million numbers on each CPU. */
    private static final long DEFAULT_STRIDE = 16L << 20;

    /** Where address space is tight the area shrinks to this, and no further. */
    private static final long SMALLEST_STRIDE = 1L << 20;

    /** Without system calls the whole area is made resident at once. */
    private static final long ALLOCATED_STRIDE = 1L << 18;

    /** So that a position is an {@code int}, where many of them are kept on the heap. */
    private static final long LARGEST_STRIDE = 1L << 30;

    private static final long PAGE = 4096;

    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[(int) PAGE]);

    /** A cache line, and the one that is fetched with it. */
    private static final long UNSHARED = 128;

    static {
        MemorySegment memory = Platform.hasSystemCalls() ? reserve(configuredStride()) : allocate();
        MEMORY = memory;
        BASE = memory.address();
        STRIDE = memory.byteSize() / (CPUS + 1);
        SHIFT = Long.numberOfTrailingZeros(STRIDE);
    }

    private static final PositionAllocator POSITIONS = new PositionAllocator(CpuHeader.SIZE, STRIDE);

    private static final Holdings HOLDINGS = new Holdings(Area::collect);

    /** How many pieces will be given back by the collector. */
    private static final AtomicLong COLLECTABLE = new AtomicLong();

    /** With a wait that doubles each time: about four seconds in all, as a busy machine may let the cleaner wait. */
    private static final int MOST_COLLECTIONS = 12;

    private static final long SHORTEST_WAIT = TimeUnit.MILLISECONDS.toNanos(1);

    private Area() {}

    /** Where a position lies in {@link #MEMORY} for a CPU or for {@link #SPARE}. */
    public static long offset(int cpu, long position) {
        return ((long) cpu << SHIFT) + position;
    }

    /** A variable's memory on one CPU. */
    public static MemorySegment slice(int cpu, long position, long bytes) {
        return MEMORY.asSlice(offset(cpu, position), bytes);
    }

    /**
     * Takes a piece of every CPU's place; it is zero on each. If none is left, pieces that nobody can reach any more are
     * waited for.
     *
     * @param owner who asks, for the message
     * @throws dev.percpu.memory.AreaFullException if none is left all the same
     */
    public static long allocate(long bytes, long alignment, String owner) {
        if (alignment > PAGE) {
            throw new IllegalArgumentException(owner + ": the area is aligned to " + PAGE + " bytes, not " + alignment);
        }
        for (int collections = 0; ; collections++) {
            try {
                return POSITIONS.allocate(bytes, alignment, owner);
            } catch (AreaFullException full) {
                if (collections == MOST_COLLECTIONS || COLLECTABLE.get() == 0) {
                    throw full;
                }
            }
            // As for direct buffers: closed variables come back by the collector, which does not know of this shortage.
            System.gc();
            LockSupport.parkNanos(SHORTEST_WAIT << collections);
        }
    }

    /** Gives a piece back. Nobody may reach it any more; it is zeroed for the next. */
    public static void free(long position, long bytes) {
        for (int cpu = 0; cpu <= CPUS; cpu++) {
            clear(slice(cpu, position, bytes));
        }
        POSITIONS.free(position, bytes);
    }

    /**
     * Takes a piece that is given back once {@code holder} is unreachable, and so no thread can be about to use the piece.
     * Not before: a thread that read the position and was preempted would write into the piece's next owner.
     */
    public static int allocateFor(Object holder, int bytes, long alignment, String owner) {
        int position = (int) allocate(bytes, alignment, owner);
        COLLECTABLE.incrementAndGet();
        HOLDINGS.add(holder, position, bytes);
        return position;
    }

    private static void collect(long position, long bytes) {
        free(position, bytes);
        COLLECTABLE.decrementAndGet();
    }

    /**
     * Takes a piece that is given back once no segment of it is reachable: a segment can be kept by anyone, and must
     * never reach the piece's next owner.
     */
    public static Slices collectable(long bytes, long alignment, String owner) {
        Arena arena = Arena.ofAuto();
        MemorySegment[] slices = new MemorySegment[CPUS];
        if (!Platform.hasSystemCalls()) {
            // A segment's lifetime can be narrowed by a restricted method only, so this is memory outside the area.
            Arrays.setAll(slices, cpu -> arena.allocate(bytes, Math.max(alignment, UNSHARED)));
            return new Slices(-1, List.of(slices));
        }
        long position = allocate(bytes, alignment, owner);
        COLLECTABLE.incrementAndGet();
        Arrays.setAll(
                slices,
                cpu -> MemorySegment.ofAddress(BASE + offset(cpu, position))
                        .reinterpret(bytes, arena, cpu == 0 ? closed -> collect(position, bytes) : null));
        return new Slices(position, List.of(slices));
    }

    /**
     * A piece as segments.
     *
     * @param position where it lies in each CPU's place; negative if it is not in the area
     * @param perCpu the segments, by CPU
     */
    public record Slices(long position, List<MemorySegment> perCpu) {
        public MemorySegment of(int cpu) {
            return perCpu.get(cpu);
        }
    }

    /** The bytes of each CPU's place that variables have, header included. */
    public static long usedBytesPerCpu() {
        return CpuHeader.SIZE + POSITIONS.usedBytes();
    }

    /** Writes only where something is not zero already, since a write makes a page, and on the writer's NUMA node. */
    private static void clear(MemorySegment piece) {
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
                return Linux.reserve(Math.multiplyExact(stride, CPUS + 1L));
            } catch (LinuxException refused) {
                if (stride <= SMALLEST_STRIDE) {
                    throw new IllegalStateException(
                            "no address space for the per-CPU area, not even " + stride + " bytes for each of " + CPUS
                                    + " CPUs: raise the process's limits (ulimit -v, ulimit -d), or set a smaller -D"
                                    + STRIDE_PROPERTY,
                            refused);
                }
            }
        }
    }

    /** Without system calls nothing can be reserved, only allocated. */
    private static MemorySegment allocate() {
        long stride = System.getProperty(STRIDE_PROPERTY) == null ? ALLOCATED_STRIDE : configuredStride();
        return Arena.global().allocate(Math.multiplyExact(stride, CPUS + 1L), PAGE);
    }

    private static long configuredStride() {
        String text = System.getProperty(STRIDE_PROPERTY);
        if (text == null) {
            return DEFAULT_STRIDE;
        }
        long stride;
        try {
            stride = Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(STRIDE_PROPERTY + " is not a number: '" + text + "'", e);
        }
        if (Long.bitCount(stride) != 1 || stride < CpuHeader.SIZE * 2 || stride > LARGEST_STRIDE) {
            throw new IllegalArgumentException(STRIDE_PROPERTY + " must be a power of two from " + CpuHeader.SIZE * 2
                    + " to " + LARGEST_STRIDE + ", not " + text);
        }
        return stride;
    }
}

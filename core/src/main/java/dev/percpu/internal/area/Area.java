package dev.percpu.internal.area;

import dev.percpu.internal.jfr.Recording;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.Platform;
import dev.percpu.internal.linux.Topology;
import dev.percpu.memory.AreaFullException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The per-CPU area: one mapping in which every CPU has a place of the same size, and a variable lies at the same
 * <em>position</em> in each.
 *
 * <pre>
 * BASE            BASE + STRIDE    ...   BASE + CPUS * STRIDE
 * | CPU 0         | CPU 1          ...   | spare         |  | gates |  | own           | own    ...
 * | header | vars | header | vars  ...   | header | vars |  |       |  | header | vars | ...
 *            ^ position p     ^ position p
 * </pre>
 *
 * <p>There is a place for every id up to the highest possible CPU id, so that an id is an index. Behind them lies the
 * spare place: threads without a CPU id count there, atomically. Then come the places that threads can have for
 * themselves: see {@link OwnPlaces}. The gates of numbers have a place, too: {@link Reservation} tells why, and what
 * lies between places. The address space is reserved, but not touched. The kernel allocates a page when a CPU first
 * writes to it, on that CPU's NUMA node. A CPU that never runs costs nothing, nor does a place that no thread has had.
 *
 * <p>This file is longer than others: it is the one place that knows where instances lie.
 *
 * <p>Everything is static because the JIT compiler trusts {@code static final} fields, and the hot paths compute with
 * {@link #BASE} and {@link #SHIFT}.
 */
public final class Area {
    public static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    /** How many CPUs have a place: the highest possible id plus one. */
    public static final int CPUS = Topology.capacity();

    /** Names the spare place where a CPU is expected. */
    public static final int SPARE = CPUS;

    /** The first place that a thread can have for itself. */
    public static final int FIRST_OWN = CPUS + 1;

    /**
     * What Java code reads and writes through. It is the whole address space, so that an offset is an address: the JIT
     * compiler need not add where the area begins. (Eight counters in turn took 1.8 ns for each with a segment of the
     * area alone, and 1.4 with this one, on Zen 4.) So no access is checked against the bounds of the area, as none is
     * in a sequence either. Without native access it is the area alone, since only a restricted method makes the other.
     */
    public static final MemorySegment MEMORY;

    public static final long BASE;
    public static final int SHIFT;
    public static final long STRIDE;

    /** The whole mapping. */
    private static final MemorySegment MAPPED;

    /** Where the area begins in {@link #MEMORY}. */
    private static final long ORIGIN;

    /** The bits that an offset of a {@code long} in {@link #MEMORY} can have. */
    private static final long WITHIN;

    /** Where the place of the gates begins in {@link #MEMORY}. */
    private static final long GATES;

    /** How many bytes further own places begin than their numbers say: the place of the gates lies before them. */
    private static final long OWN_GAP;

    /** If the kernel allows it, a place is opened by at least this share of what is open already. */
    private static final int OPENED_SHARE = 8;

    /** Open only while a place is opened further: see {@link Reservation#leftToTheJvm}. */
    private static final MemorySegment LEFT_TO_THE_JVM;

    /**
     * Free memory is given back to the kernel whenever so many bytes of each place have been freed, or {@link
     * #OPENED_SHARE} if that is more. So a program that creates and closes one variable again and again does not pay
     * for a new page each time.
     */
    private static final long LEAST_DISCARDED = 1L << 20;

    /** The use of the area is recorded whenever it passes another eighth, from one half on. */
    private static final int EIGHTHS = 8;

    /** No position. */
    private static final long OUTSIDE = -1;

    /** Two cache lines: processors fetch the neighbour of a line along with it. */
    private static final long UNSHARED = 128;

    static {
        Reservation area = Platform.hasSystemCalls()
                ? Reservation.reserve(CPUS, OwnPlaces.COUNT)
                : Reservation.allocate(CPUS, OwnPlaces.COUNT);
        MAPPED = area.memory();
        MEMORY = Platform.hasSystemCalls() ? MemorySegment.NULL.reinterpret(Long.MAX_VALUE) : MAPPED;
        BASE = MAPPED.address();
        ORIGIN = BASE - MEMORY.address();
        STRIDE = area.stride();
        SHIFT = Long.numberOfTrailingZeros(STRIDE);
        WITHIN = Long.highestOneBit(2 * (ORIGIN + MAPPED.byteSize()) - 1) - Long.BYTES;
        GATES = ORIGIN + area.gates(CPUS);
        LEFT_TO_THE_JVM = area.leftToTheJvm();
        OWN_GAP = area.own(FIRST_OWN) - FIRST_OWN * STRIDE;
        // Operations call Reference.reachabilityFence after their commit. At the first such call, the JVM would ask the
        // library's class loader for this class, and that takes memory.
        Class<?> _ = Reference.class;
        Clearing.rehearse();
    }

    /**
     * So many bytes of each place can be read and written; the rest is only address space. So neither strict overcommit
     * nor {@code mlockall} counts more of a place as memory than variables have used. Only a thread that holds the
     * allocator's lock changes it.
     */
    private static volatile long opened = Platform.hasSystemCalls() ? Reservation.firstOpened(STRIDE) : STRIDE;

    /** Only a thread that holds the allocator's lock changes it. */
    private static volatile int places = FIRST_OWN;

    /** The highest eighth of a place whose filling was recorded. If two threads race, there is one event too many. */
    private static volatile int recordedEighths = EIGHTHS / 2 - 1;

    private static final Functions FUNCTIONS = new Functions();

    private static final PositionAllocator POSITIONS = new PositionAllocator(CpuHeader.SIZE, STRIDE, FUNCTIONS);

    private static final AreaEnd END = new AreaEnd(MAPPED, STRIDE, FIRST_OWN);

    /**
     * The segment from which users get theirs. As long as they have one, its scope keeps this class alive, and so the
     * mapping. Segments of {@link #MAPPED} have the global scope, which keeps nothing alive.
     */
    private static final MemorySegment FOR_USERS = Platform.hasSystemCalls() ? scoped(BASE, MAPPED.byteSize()) : MAPPED;

    private static final Holdings HOLDINGS = new Holdings(FUNCTIONS, FUNCTIONS);

    private static final Shortage SHORTAGE = new Shortage(HOLDINGS);

    static {
        Recording.area(FUNCTIONS, STRIDE);
    }

    private Area() {}

    /**
     * What others call of this class, in one class and not as method references. For each method reference the JVM
     * would make another class and a method handle, while the first variable of the program waits. The same goes for
     * all that is done until then: see docs/start-up.md. A test counts what the JVM makes.
     */
    private static final class Functions
            implements PositionAllocator.Memory,
                    Holdings.Return,
                    Supplier<MethodHandle>,
                    LongSupplier,
                    Consumer<MemorySegment> {
        @Override
        public boolean open(long end) {
            return Area.open(end);
        }

        @Override
        public AreaFullException noMemory(long bytes, String label) {
            return Area.noMemory(bytes, label);
        }

        @Override
        public void discard(long start, long end) {
            Area.discard(start, end);
        }

        @Override
        public void give(long position, long bytes) {
            free(position, bytes);
        }

        // What to do once the class loader of this library has been collected, made of JDK code alone. No user can
        // still have an address in the mapping then, since FOR_USERS keeps the loader alive.
        @Override
        public MethodHandle get() {
            return Platform.hasSystemCalls() ? END.action() : DetachedThread.nothing();
        }

        @Override
        public long getAsLong() {
            return usedBytesPerCpu();
        }

        /** The cleanup action of users' segments. As long as their arena is open, they keep it, and so this class. */
        @Override
        public void accept(MemorySegment closed) {}
    }

    /** Where a position lies in {@link #MEMORY} for a CPU, for {@link #SPARE}, or for another place. */
    public static long offset(int place, long position) {
        return ORIGIN + distance(place, position);
    }

    /** Where it lies in memory. */
    public static long address(int place, long position) {
        return BASE + distance(place, position);
    }

    private static long distance(int place, long position) {
        long distance = ((long) place << SHIFT) + position;
        return place <= SPARE ? distance : distance + OWN_GAP;
    }

    /** Where the gate of the number at a position lies in {@link #MEMORY}. */
    public static long gate(long position) {
        return GATES + position;
    }

    /** How far a number's gate lies behind its instance on CPU 0. */
    public static long gateDistance() {
        return GATES - ORIGIN;
    }

    /**
     * The same offset, of a {@code long}, for hot paths: the JIT compiler sees that it is aligned and within bounds.
     * Otherwise it checks that at each access, which takes more instructions than the access.
     */
    public static long within(long offset) {
        return offset & WITHIN;
    }

    /** A variable's memory on one CPU. */
    public static MemorySegment slice(int cpu, long position, long bytes) {
        return FOR_USERS.asSlice(distance(cpu, position), bytes);
    }

    @SuppressWarnings("MustBeClosed") // it is never closed
    private static MemorySegment scoped(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes, Arena.ofShared(), FUNCTIONS);
    }

    /**
     * Keeps a piece for a C library even after the class loader of this library is gone.
     *
     * @param lender where the C library stores {@link #BASE} as long as it has the piece. It becomes 0 at that end
     * @return takes the piece back, if the library did not want it
     */
    public static Runnable lend(long position, long bytes, MemorySegment lender) {
        return END.lend(position, bytes, lender);
    }

    /**
     * Takes a piece of every CPU's place; it is zero on each. If none is left, this asks the garbage collector to find
     * pieces that are no longer reachable: see {@link Shortage}.
     *
     * @param label what the memory is for, in messages
     * @throws dev.percpu.memory.AreaFullException if there is still none left
     */
    public static long allocate(long bytes, long alignment, String label) {
        long position = take(bytes, alignment, label);
        recordUse(position + bytes, label);
        return position;
    }

    private static long take(long bytes, long alignment, String label) {
        try {
            return POSITIONS.allocate(bytes, alignment, label);
        } catch (AreaFullException _) {
            // The order of the two numbers matters: what is given back between them counts twice, which is better than
            // not at all.
            long position =
                    SHORTAGE.retry(new Attempt(bytes, alignment), HOLDINGS.bytes(), bytes - POSITIONS.freeBytes());
            // The reason can be another one now: if a piece came back, it is the kernel that refuses the rest.
            return position >= 0 ? position : POSITIONS.allocate(bytes, alignment, label);
        }
    }

    /** Classes and not lambdas: if the heap is full too when the JVM links a lambda, it may never try again. */
    private record Taking(long bytes, long alignment, String label) implements LongSupplier {
        @Override
        public long getAsLong() {
            return take(bytes, alignment, label);
        }
    }

    private record Attempt(long bytes, long alignment) implements LongSupplier {
        @Override
        public long getAsLong() {
            return POSITIONS.tryAllocate(bytes, alignment);
        }
    }

    /** Gives a piece back, and zeroes it for its next owner. It must no longer be reachable by anyone. */
    public static void free(long position, long bytes) {
        // First, as it can throw. Once the piece is free, nothing may throw: the caller repeats a call that has thrown,
        // and would free the piece twice. (Clearing it twice does no harm.)
        POSITIONS.discardFree(Math.max(LEAST_DISCARDED, opened / OPENED_SHARE));
        // A thread may get an own place meanwhile. The piece is zero there, as no thread has the variable any more.
        for (int place = 0; place < places; place++) {
            Clearing.clear(MEMORY.asSlice(offset(place, position), bytes));
        }
        Clearing.clear(MEMORY.asSlice(gate(position), bytes));
        POSITIONS.free(position, bytes);
    }

    /**
     * Takes a piece that is given back once {@code holder} is unreachable, so that no thread can be about to use the
     * piece. It cannot be given back earlier: a thread that had read the position and was preempted would write into
     * memory of the next owner.
     */
    public static int allocateFor(Object holder, long bytes, long alignment, String label) {
        return hold(holder, bytes, alignment, label).position();
    }

    static Holdings.Holding hold(Object holder, long bytes, long alignment, String label) {
        Holdings.Holding holding = HOLDINGS.hold(holder, bytes, new Taking(bytes, alignment, label));
        recordUse(holding.position() + bytes, label);
        return holding;
    }

    /** Without the allocator's lock: the first event of a recording can run a user's class loader. */
    private static void recordUse(long end, String label) {
        int eighths = (int) (EIGHTHS * end / STRIDE);
        int recorded = recordedEighths;
        if (eighths > recorded) {
            // First, so that a variable which is made there does not record the same once more.
            recordedEighths = eighths;
            if (!Recording.areaFilling(end, STRIDE, label)) {
                recordedEighths = recorded;
            }
        }
    }

    /** Takes a piece that is given back unless its user keeps it. */
    public static Claim claim(long bytes, long alignment, String label) {
        return new Claim(HOLDINGS, bytes, alignment, label);
    }

    /**
     * Takes a piece that is given back when it is closed, or once none of its segments is reachable. Anyone can keep a
     * segment, and it must never reach memory of the next owner.
     */
    @SuppressWarnings("MustBeClosed") // it is closed by the slices, or becomes unreachable with them
    public static Slices collectable(long bytes, long alignment, String label) {
        PositionAllocator.check(bytes, alignment, label);
        MemorySegment[] slices = new MemorySegment[CPUS];
        if (!Platform.hasSystemCalls()) {
            Arena arena = Arena.ofAuto();
            // Only a restricted method can narrow a segment's lifetime, so this is memory outside the area.
            Arrays.setAll(slices, cpu -> arena.allocate(bytes, Math.max(alignment, UNSHARED)));
            return new Slices(OUTSIDE, List.of(slices), null, null);
        }
        Arena arena = Arena.ofShared();
        // All of its segments refer to the scope; none refers to the arena.
        Holdings.Holding holding = hold(arena.scope(), bytes, alignment, label);
        long position = holding.position();
        Arrays.setAll(
                slices,
                cpu -> MemorySegment.ofAddress(address(cpu, position))
                        .reinterpret(bytes, arena, cpu == 0 ? FUNCTIONS : null));
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
     *
     * @return false if the kernel refuses
     */
    private static boolean open(long end) {
        return end <= opened || openTo(Math.max(end, opened + opened / OPENED_SHARE)) || openTo(end);
    }

    /** Opens all places, or none if the kernel refuses one. */
    private static boolean openTo(long end) {
        long from = opened;
        long bytes = Math.min(Reservation.roundUp(end), STRIDE) - from;
        int open = 0;
        boolean all = false;
        try {
            boolean granted = Linux.tryOpen(LEFT_TO_THE_JVM);
            for (; granted && open < places; open++) {
                granted = Linux.tryOpen(MEMORY.asSlice(offset(open, from), bytes));
            }
            all = granted && Linux.tryOpen(MEMORY.asSlice(gate(from), bytes));
        } finally {
            // First, as the others' slices are objects, for which the heap may be too full.
            boolean _ = Linux.close(LEFT_TO_THE_JVM);
            for (int place = 0; !all && place < open; place++) {
                // If a place was refused, it is the last one, and a part of it may be open. What stays open, as a part
                // of the gates may, is opened a second time by the next call.
                boolean _ = Linux.close(MEMORY.asSlice(offset(place, from), bytes));
            }
        }
        if (all) {
            opened = from + bytes;
        }
        return all;
    }

    private static AreaFullException noMemory(long bytes, String label) {
        return new AreaFullException(label + " needs " + bytes + " bytes in the place of each of " + CPUS
                + " CPUs, but the kernel refuses to open more of the per-CPU area (mprotect) and to leave "
                + LEFT_TO_THE_JVM.byteSize() + " bytes to the JVM. Close variables that are no longer"
                + " needed, or raise the limit on committed memory (vm.overcommit_memory), on data (ulimit -d),"
                + " or, with mlockall, on locked memory (ulimit -l)");
    }

    /** Only whole parts of what is open. If the kernel refuses, as it does for locked memory, they stay as they are. */
    private static void discard(long start, long end) {
        long from = Reservation.roundUp(start);
        long to = Math.min(end, opened) & -Reservation.OPENED_AT_ONCE;
        if (from < to && Platform.hasSystemCalls()) {
            for (int place = 0; place < places; place++) {
                Linux.discard(MEMORY.asSlice(offset(place, from), to - from));
            }
            Linux.discard(MEMORY.asSlice(gate(from), to - from));
        }
    }

    /**
     * The number of places that can hold something: those of the CPUs, the spare one, and those that threads have or
     * have had for themselves. It never decreases. An update that happened before the call is in one of them.
     */
    public static int places() {
        return places;
    }

    /**
     * Opens one more place, as far as the others are open.
     *
     * @return false if there is none left, or if the kernel refuses the memory
     */
    static boolean openOwnPlace() {
        // The allocator's lock. Otherwise another thread could open all other places further meanwhile.
        synchronized (POSITIONS) {
            int next = places;
            if (next == FIRST_OWN + OwnPlaces.COUNT) {
                return false;
            }
            if (Platform.hasSystemCalls() && Reservation.firstOpened(STRIDE) < STRIDE) {
                try {
                    if (!Linux.tryOpen(LEFT_TO_THE_JVM) || !Linux.tryOpen(MEMORY.asSlice(offset(next, 0), opened))) {
                        return false;
                    }
                } finally {
                    boolean _ = Linux.close(LEFT_TO_THE_JVM);
                }
            }
            places = next + 1;
            return true;
        }
    }

    /** The address space of the whole area. */
    public static long reservedBytes() {
        return MAPPED.byteSize();
    }

    /** How many bytes of each CPU's place are in use by variables, header included. */
    public static long usedBytesPerCpu() {
        return CpuHeader.SIZE + POSITIONS.usedBytes();
    }
}

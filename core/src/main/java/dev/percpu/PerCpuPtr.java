package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.Piece;
import dev.percpu.internal.guard.PaddedReferences;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.Objects;
import java.util.function.Function;

/**
 * Names a variable's instances on all CPUs: an offset into the per-CPU area, or one heap object for each CPU. It is
 * immutable and can be shared freely, as it stands for another instance on each CPU. It does not keep a
 * {@link DynamicPerCpu} open.
 *
 * <p>It is the {@code PerCpuPtr} of the Rust API, where its use is unsafe. Here {@link #getRef} and {@link #getMutRef}
 * are checked like tokens; {@link #getPtr} is not.
 *
 * @param <T> the type of the instances
 */
public final class PerCpuPtr<T> {
    /*
     * Borrowing. Each variable has a borrow word on every CPU, which only the owner of that CPU's guard reads and
     * writes, so it needs no atomic access. It holds the serial number of the guard that the last token was made with,
     * and whether that token was exclusive. Nothing is done when a guard is closed but to end its serial number: a word
     * whose number is not that of a guard now open on the CPU is free. So tokens need no close, a dead owner's borrows
     * end when its CPU is taken over, and the ordinary update costs one load and one store more.
     *
     * If several nested guards share an instance, the word has the outermost one's number, whichever borrowed first. It
     * is closed last, so as long as any of them is open, the word says shared.
     */
    private static final long FREE = 0;

    private static final long EXCLUSIVE = 1;

    private static final long HEAP = -1;

    private final Piece borrowWord;
    private final PaddedReferences<T> instances;
    private final long offset;
    private final boolean isMemory;

    private PerCpuPtr(Piece borrowWord, PaddedReferences<T> instances, long offset, boolean isMemory) {
        this.borrowWord = borrowWord;
        this.instances = instances;
        this.offset = offset;
        this.isMemory = isMemory;
    }

    /** Instances on the heap. The piece has room for the borrow word. */
    static <T> PerCpuPtr<T> toObjects(Piece piece, Function<CpuId, ? extends T> factory) {
        return new PerCpuPtr<>(piece, fill(piece.name(), factory), HEAP, false);
    }

    /** Instances that are views of memory, at {@code offset} into the area if that is not negative. */
    static <T> PerCpuPtr<T> toMemory(Piece piece, long offset, Function<CpuId, ? extends T> view) {
        return new PerCpuPtr<>(piece, fill(piece.name(), view), offset, true);
    }

    /**
     * A pointer to raw memory of the area, for those who know what lies there: the variable must outlive the pointer,
     * and tokens made from this pointer do not see those that are made from another one.
     *
     * @param offset where the memory lies on every CPU, from the start of the CPU's place
     * @throws IndexOutOfBoundsException if the area does not reach that far
     * @throws IllegalArgumentException if the offset is not aligned as the layout wants
     */
    public static PerCpuPtr<MemorySegment> ofOffset(long offset, MemoryLayout layout) {
        Objects.checkFromIndexSize(offset, layout.byteSize(), Area.STRIDE);
        if (offset % layout.byteAlignment() != 0) {
            throw new IllegalArgumentException(
                    "offset " + offset + " is not aligned to the " + layout.byteAlignment() + " bytes of " + layout);
        }
        Piece piece = Piece.collectable("offset " + offset, Long.BYTES, Long.BYTES);
        return toMemory(piece, offset, cpu -> Area.slice(cpu.id(), offset, layout.byteSize()));
    }

    private static <T> PaddedReferences<T> fill(String name, Function<CpuId, ? extends T> factory) {
        PaddedReferences<T> instances = new PaddedReferences<>(CpuMask.capacity());
        for (CpuId cpu : CpuMask.possible()) {
            instances.set(cpu.id(), Objects.requireNonNull(factory.apply(cpu), () -> nullInstance(name, cpu)));
        }
        return instances;
    }

    private static String nullInstance(String name, CpuId cpu) {
        return name + ": the instance for " + cpu + " must not be null";
    }

    /**
     * Bytes from the start of each CPU's place in the per-CPU area to the instance, the same for every CPU.
     *
     * @throws UnsupportedOperationException if the instances are not in the area: heap objects, and, where native
     *     access is denied, the memory of a {@link DynamicPerCpu}
     * @throws IllegalStateException if the variable is closed
     */
    public long offset() {
        borrowWord.position();
        if (offset < 0) {
            throw new UnsupportedOperationException("the instances of " + borrowWord.name()
                    + " are not in the per-CPU area");
        }
        return offset;
    }

    /**
     * The instance of the guard's CPU, for shared use until the guard is closed. It must not be used after.
     *
     * @throws IllegalStateException if an exclusive token for the instance is live, or if the guard or the variable is
     *     closed
     * @throws WrongThreadException if the guard belongs to another thread
     */
    public T getRef(CpuGuard guard) {
        borrowShared(guard);
        return instance(guard.checkUsable());
    }

    /**
     * The instance of the guard's CPU, for exclusive use until the guard is closed. It must not be used after.
     *
     * @throws IllegalStateException if another token for the instance is live, or if the guard or the variable is
     *     closed
     * @throws WrongThreadException if the guard belongs to another thread
     */
    public T getMutRef(CpuGuard guard) {
        borrowExclusively(guard);
        return instance(guard.checkUsable());
    }

    /**
     * The instance of the CPU that this thread runs on, without a guard: it may be in use by the CPU's owner, and the
     * thread may be on another CPU by the time it looks. Buyer beware.
     *
     * @throws IllegalStateException if the variable is closed
     */
    public T getPtr() {
        return instance(CpuId.current().id());
    }

    /** The instance of a given CPU, as racy as {@link #getPtr()}. */
    T instance(int cpu) {
        borrowWord.position();
        return instanceEvenIfClosed(cpu);
    }

    /** The same, for who closes the instances of a variable that is closed for everyone else. */
    T instanceEvenIfClosed(int cpu) {
        T instance = instances.get(cpu);
        if (instance == null) {
            throw new IllegalStateException(
                    borrowWord.name() + " has no instance for CPU " + cpu + ", which the kernel does not call possible");
        }
        return instance;
    }

    T replace(int cpu, T instance) {
        if (isMemory) {
            throw new UnsupportedOperationException("the instances of " + borrowWord.name()
                    + " are views of memory: change what is in them");
        }
        T old = instance(cpu);
        instances.set(cpu, Objects.requireNonNull(instance, () -> nullInstance(borrowWord.name(), CpuId.of(cpu))));
        return old;
    }

    void borrowExclusively(CpuGuard guard) {
        try {
            long word = Area.offset(guard.checkUsable(), borrowWord.position());
            long borrow = (long) Area.LONG.get(Area.MEMORY, word);
            if (levelOf(borrow, guard) != CpuGuard.ENDED) {
                throw aliasing(guard, isExclusive(borrow) ? "an exclusive" : "a shared", "an exclusive");
            }
            Area.LONG.set(Area.MEMORY, word, (guard.serial() << 1) | EXCLUSIVE);
        } finally {
            Reference.reachabilityFence(borrowWord);
        }
    }

    void borrowShared(CpuGuard guard) {
        try {
            long word = Area.offset(guard.checkUsable(), borrowWord.position());
            long borrow = (long) Area.LONG.get(Area.MEMORY, word);
            int level = levelOf(borrow, guard);
            if (level != CpuGuard.ENDED && isExclusive(borrow)) {
                throw aliasing(guard, "an exclusive", "a shared");
            }
            if (level == CpuGuard.ENDED || level > guard.level()) {
                Area.LONG.set(Area.MEMORY, word, guard.serial() << 1);
            }
        } finally {
            Reference.reachabilityFence(borrowWord);
        }
    }

    private static int levelOf(long borrow, CpuGuard guard) {
        return borrow == FREE ? CpuGuard.ENDED : guard.levelOf(borrow >>> 1);
    }

    private static boolean isExclusive(long borrow) {
        return (borrow & EXCLUSIVE) != 0;
    }

    private IllegalStateException aliasing(CpuGuard guard, String live, String wanted) {
        return new IllegalStateException("aliasing: " + live + " token for " + guard.cpu() + "'s instance of "
                + borrowWord.name() + " is live, so " + wanted + " one cannot be made; it ends when its guard is closed,"
                + " so take a nested guard for a token that is to end sooner");
    }

    /** A pointer to the same instances is equal. */
    @Override
    public boolean equals(Object other) {
        return other instanceof PerCpuPtr<?> ptr && ptr.instances == instances;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(instances);
    }

    @Override
    public String toString() {
        return "per-CPU pointer to " + borrowWord.name() + (offset < 0 ? "" : " at offset " + offset);
    }
}

package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.guard.OpenGuards;
import dev.percpu.internal.guard.PaddedArray;
import dev.percpu.internal.protocol.StackRoom;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Refers to a variable's instances on all CPUs: by a position in the per-CPU area, or by one heap object for each CPU.
 * A pointer is immutable and can be shared freely, since it stands for a different instance on each CPU. It does not
 * keep a {@link DynamicPerCpu} open.
 *
 * <p>This is the {@code PerCpuPtr} of the Rust API, where its use is unsafe. Here {@link #getRef} and {@link
 * #getMutRef} are checked like tokens; {@link #getPtr} is not.
 *
 * @param <T> the type of the instances
 */
public final class PerCpuPtr<T> {
    /*
     * Borrowing. Each instance has a borrow word, which only the owner of its CPU's guard reads and writes, so it needs
     * no atomic access. It holds the serial number of the guard that the last token was created with, and whether that
     * token was exclusive. Closing a guard only ends its serial number: a word whose number does not belong to a guard
     * now open on the CPU is free. So tokens need no close, a dead owner's borrows end when its CPU is taken over, and
     * an ordinary update costs only a few more loads and two more stores.
     *
     * If several nested guards share an instance, the word holds the number of the outermost one, whichever borrowed
     * first. The outermost guard is closed last, so the word says shared as long as any of them is open.
     */
    private static final long EXCLUSIVE = 1;

    /** A borrow word without the number of any guard. */
    private static final long FREE = 0;

    private static final long HEAP = -1;

    static {
        // Not in the first access, which may come when the heap is full.
        CpuGuard.initialize();
        StackRoom _ = StackRoom.CURRENT;
    }

    private final Lifetime lifetime;

    /** The instances. They and the borrow words lie at {@link PaddedArray#index}. */
    private final @Nullable Object[] instances;

    private final long[] borrows;
    private final long position;
    private final boolean isMemory;

    private PerCpuPtr(
            Lifetime lifetime, @Nullable Object[] instances, long[] borrows, long position, boolean isMemory) {
        this.lifetime = lifetime;
        this.instances = instances;
        this.borrows = borrows;
        this.position = position;
        this.isMemory = isMemory;
    }

    /** Creates a pointer to instances on the heap. If this fails, the given array has those that were created. */
    static <T> PerCpuPtr<T> toObjects(
            Lifetime lifetime, @Nullable Object[] instances, Function<CpuId, ? extends T> factory) {
        fill(instances, lifetime.name(), factory);
        return new PerCpuPtr<>(lifetime, instances, newBorrows(), HEAP, false);
    }

    /** Creates a pointer to views of memory, which lies at {@code position} into the area if that is not negative. */
    static <T> PerCpuPtr<T> toMemory(Lifetime lifetime, long position, Function<CpuId, ? extends T> view) {
        return toMemory(lifetime, position, newInstances(), newBorrows(), view);
    }

    /**
     * Like {@link #toMemory(Lifetime, long, Function)}, for memory with several pointers, which share its borrow words.
     * If this fails, the given array has the views that were created.
     */
    static <T> PerCpuPtr<T> toMemory(
            Lifetime lifetime,
            long position,
            @Nullable Object[] instances,
            long[] borrows,
            Function<CpuId, ? extends T> view) {
        fill(instances, lifetime.name(), view);
        return new PerCpuPtr<>(lifetime, instances, borrows, position, true);
    }

    /** An array for instances. {@link #fill} puts them at {@link PaddedArray#index}. */
    static @Nullable Object[] newInstances() {
        return new Object[PaddedArray.length(CpuMask.capacity())];
    }

    static long[] newBorrows() {
        return new long[PaddedArray.length(CpuMask.capacity())];
    }

    /**
     * Creates a pointer to raw memory of the area. The caller must know what lies there, and the variable must outlive
     * the pointer. Tokens created from this pointer are not checked against tokens created from another one.
     *
     * @param position how many bytes the memory lies behind the start of each CPU's place
     * @throws IndexOutOfBoundsException if the memory does not lie within the part of a place that is open. That part
     *     has all memory that variables have had so far, and more: the library opens it in large steps
     * @throws IllegalArgumentException if the position does not have the alignment that the layout requires
     */
    public static PerCpuPtr<MemorySegment> ofPosition(long position, MemoryLayout layout) {
        Objects.checkFromIndexSize(position, layout.byteSize(), Area.openedBytesPerCpu());
        if (position % layout.byteAlignment() != 0) {
            throw new IllegalArgumentException("position " + position + " is not aligned to the "
                    + layout.byteAlignment() + " bytes of " + layout);
        }
        Lifetime lifetime = new Lifetime("position " + position);
        return toMemory(lifetime, position, cpu -> Area.slice(cpu.id(), position, layout.byteSize()));
    }

    private static void fill(@Nullable Object[] instances, String name, Function<CpuId, ?> factory) {
        for (CpuId cpu : CpuMask.possible()) {
            Object _ = PaddedArray.put(instances, cpu.id(), () -> checked(factory.apply(cpu), name, cpu));
        }
    }

    /** Allocates nothing: if the heap were full, the instance would be lost before the array has it. */
    private static Object checked(@Nullable Object instance, String name, CpuId cpu) {
        if (instance == null) {
            throw new NullPointerException(name + ": the instance for " + cpu + " must not be null");
        }
        return instance;
    }

    /**
     * How many bytes the instance lies behind the start of a CPU's place in the per-CPU area; the same for every CPU.
     *
     * @throws UnsupportedOperationException if the instances are not in the area: heap objects never are, and where
     *     native access is denied, nor is the memory of a {@link DynamicPerCpu}
     * @throws IllegalStateException if the variable is closed
     */
    public long position() {
        lifetime.checkOpen();
        if (position < 0) {
            throw new UnsupportedOperationException(
                    "the instances of " + lifetime.name() + " are not in the per-CPU area");
        }
        return position;
    }

    /**
     * The instance of the guard's CPU, for shared use until the guard is closed. It must not be used after that.
     *
     * @throws IllegalStateException if an exclusive token for the instance is live, or the guard or variable is closed
     * @throws WrongThreadException if the guard belongs to another thread
     */
    public T getRef(CpuGuard guard) {
        borrowShared(guard);
        return instance(guard.checkUsable());
    }

    /**
     * The instance of the guard's CPU, for exclusive use until the guard is closed. It must not be used after that.
     *
     * @throws IllegalStateException if another token for the instance is live, or the guard or variable is closed
     * @throws WrongThreadException if the guard belongs to another thread
     */
    public T getMutRef(CpuGuard guard) {
        borrowExclusively(guard);
        return instance(guard.checkUsable());
    }

    /**
     * The instance of the CPU that this thread runs on, without a guard. The CPU's owner may be using the instance at
     * the same time, and this thread may be on another CPU by the time it uses the result. Making that safe is up to
     * the caller.
     *
     * @throws IllegalStateException if the variable is closed
     */
    public T getPtr() {
        return instance(CpuId.current().id());
    }

    /**
     * Borrows the instance of the guard's CPU, and calls an action with it. The thread does that for one CPU after
     * another, which is why it touches the array: see {@link PaddedArray#touch}.
     */
    void visit(CpuGuard guard, BiConsumer<CpuId, ? super T> action) {
        int cpu = guard.checkUsable();
        PaddedArray.touch(instances, cpu);
        borrowExclusively(guard);
        action.accept(CpuId.of(cpu), instance(cpu));
    }

    /** The instance of a given CPU, as racy as {@link #getPtr()}. */
    T instance(int cpu) {
        lifetime.checkOpen();
        return instanceEvenIfClosed(cpu);
    }

    /** Like {@link #instance}, but works on a closed variable too, so that its instances can be closed. */
    @SuppressWarnings("unchecked") // nothing else is ever stored
    T instanceEvenIfClosed(int cpu) {
        Object instance = instances[PaddedArray.index(cpu)];
        if (instance == null) {
            // It may have been closed since the caller looked. The fence makes this look again.
            VarHandle.acquireFence();
            lifetime.checkOpen();
            throw new IllegalStateException(lifetime.name() + " has no instance for CPU " + cpu
                    + ", which is not a possible CPU of this system");
        }
        return (T) instance;
    }

    /** Lets go of the instance of a closed variable, which the garbage collector may then have. */
    void forget(int cpu) {
        instances[PaddedArray.index(cpu)] = null;
    }

    T replace(int cpu, T instance) {
        if (isMemory) {
            throw new UnsupportedOperationException(
                    "the instances of " + lifetime.name() + " are views of memory: change their contents instead");
        }
        T old = instance(cpu);
        instances[PaddedArray.index(cpu)] = checked(instance, lifetime.name(), CpuId.of(cpu));
        return old;
    }

    void borrowExclusively(CpuGuard guard) {
        lifetime.checkOpen();
        int cpu = guard.checkUsable();
        int index = PaddedArray.index(cpu);
        long borrow = borrows[index];
        if (OpenGuards.levelOf(cpu, borrow >>> 1) != OpenGuards.ENDED) {
            throw aliasing(cpu, isExclusive(borrow) ? "an exclusive" : "a shared", "an exclusive");
        }
        borrows[index] = (guard.serial() << 1) | EXCLUSIVE;
    }

    void borrowShared(CpuGuard guard) {
        lifetime.checkOpen();
        int cpu = guard.checkUsable();
        int index = PaddedArray.index(cpu);
        long borrow = borrows[index];
        int level = OpenGuards.levelOf(cpu, borrow >>> 1);
        if (level != OpenGuards.ENDED && isExclusive(borrow)) {
            throw aliasing(cpu, "an exclusive", "a shared");
        }
        if (level == OpenGuards.ENDED || level > guard.level) {
            borrows[index] = guard.serial() << 1;
        }
    }

    /** What {@link PerCpuToken#run} of a new token does, with a guard that nobody else has. */
    void run(CpuGuard guard, Consumer<? super T> action) {
        if (guard.level > 0) {
            PerCpuToken.of(guard, this).run(action);
            return;
        }
        int cpu = guard.checkUsable();
        T instance = instance(cpu);
        int index = PaddedArray.index(cpu);
        borrows[index] = onlyBorrow(cpu);
        try {
            action.accept(instance);
        } finally {
            borrows[index] = FREE;
        }
    }

    /** What {@link PerCpuToken#with} of a new token does, with a guard that nobody else has. */
    <R extends @Nullable Object> R with(CpuGuard guard, Function<? super T, ? extends R> function) {
        if (guard.level > 0) {
            return PerCpuToken.of(guard, this).with(function);
        }
        int cpu = guard.checkUsable();
        T instance = instance(cpu);
        int index = PaddedArray.index(cpu);
        borrows[index] = onlyBorrow(cpu);
        try {
            return function.apply(instance);
        } finally {
            borrows[index] = FREE;
        }
    }

    /**
     * The borrow word of a token that was created with a CPU's outermost guard, when no other guard was open. Then no
     * token of that CPU is live, so the old word says nothing. And if the token ends before its guard, its word can be
     * removed: that costs one store, where ending the guard's serial number takes a load as well.
     */
    private static long onlyBorrow(int cpu) {
        return (OpenGuards.serial(cpu, 0) << 1) | EXCLUSIVE;
    }

    private static boolean isExclusive(long borrow) {
        return (borrow & EXCLUSIVE) != 0;
    }

    // Takes the guard's CPU and not the guard: the argument of a call that is not inlined is an object on the heap.
    private IllegalStateException aliasing(int cpu, String live, String wanted) {
        return new IllegalStateException("aliasing: this thread has " + live + " token for " + CpuId.of(cpu)
                + "'s instance of " + lifetime.name() + " already, so " + wanted
                + " one cannot be created. A token ends"
                + " when its guard is closed, and that of run, with or forEachCpu at the end of the call. If a token has"
                + " to end sooner, create it with a nested guard of the same CPU: CpuGuard.acquire(guard.cpu())");
    }

    /**
     * Pointers to the same instances are equal. A pointer from {@link #ofPosition} is equal to itself only: its tokens
     * are not checked against those of another pointer.
     */
    @Override
    @SuppressWarnings("ReferenceEquality") // the identity of the borrow words stands for the instances
    public boolean equals(Object other) {
        return other instanceof PerCpuPtr<?> ptr && ptr.borrows == borrows;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(borrows);
    }

    /** For messages: the variable's name, and where it lies if its instances are in the area. */
    String target() {
        return lifetime.name() + (position < 0 ? "" : " at position " + position);
    }

    @Override
    public String toString() {
        return "per-CPU pointer to " + target();
    }
}

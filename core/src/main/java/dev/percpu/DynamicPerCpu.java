package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.Slices;
import dev.percpu.internal.failure.Failures;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.protocol.StackRoom;
import dev.percpu.memory.AreaFullException;
import dev.percpu.memory.NumericWidth;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A per-CPU variable that is created and closed at run time.
 *
 * <pre>{@code
 * try (var statistics = DynamicPerCpu.createWith(Statistics::new)) {
 *     statistics.run(current -> current.count(request));
 * }
 * }</pre>
 *
 * <p>{@link #share()} creates further handles to the same instances. The thread that closes the last handle waits until
 * no token for any of the instances is left, and then closes each instance that is {@link AutoCloseable}, once. If the
 * instances are views of memory, as those of {@link #createZero}, that memory is then given back, and its segments can
 * no longer be used. The memory of {@link #createNumeric} comes back when it is unreachable. If all handles become
 * unreachable and one of them was never closed, no instance is closed. The memory is then given back once no instance
 * is reachable.
 *
 * <p>Several threads can use a handle at the same time.
 *
 * @param <T> the type of the instances
 */
public final class DynamicPerCpu<T> implements PerCpu<T>, AutoCloseable {
    // This file is longer than others: each way to create a variable has a form with a name and one without.
    private static final String NAME = "a dynamic per-CPU variable";

    private static final int OPEN = 0;

    /** This handle is closed. If it was the last one, a thread is closing the instances or has closed them. */
    private static final int CLOSED = 1;

    /** This handle was the last one and is closed, but an error interrupted the closing of the instances. */
    private static final int BROKEN_OFF = 2;

    private final Shared<T> shared;

    /**
     * Changed under the lock of {@link #shared}, except from {@link #CLOSED} to {@link #BROKEN_OFF}: the closing thread
     * makes that change without the lock.
     */
    private volatile int state = OPEN;

    private DynamicPerCpu(Shared<T> shared) {
        this.shared = shared;
    }

    /**
     * Creates a variable whose instances are zeroed memory.
     *
     * @throws IllegalArgumentException if the layout has no bytes, or an alignment above 4096 bytes
     * @throws AreaFullException if the per-CPU area is full
     * @throws OutOfMemoryError if native access is denied, so that the memory lies outside the area, and there is none
     */
    public static DynamicPerCpu<MemorySegment> createZero(MemoryLayout layout) {
        return createZero(layout, Function.identity());
    }

    /**
     * Like {@link #createZero(MemoryLayout)}, with a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     */
    public static DynamicPerCpu<MemorySegment> createZero(String name, MemoryLayout layout) {
        return createZero(name, layout, Function.identity());
    }

    /**
     * Creates a variable whose instances are views of zeroed memory.
     *
     * @param view creates the view of one CPU's memory; called once for each possible CPU. If it throws, the views that
     *     it has created are closed if they are {@link AutoCloseable}
     * @throws IllegalArgumentException if the layout has no bytes, or an alignment above 4096 bytes
     * @throws AreaFullException if the per-CPU area is full
     * @throws OutOfMemoryError if native access is denied, so that the memory lies outside the area, and there is none
     */
    public static <T> DynamicPerCpu<T> createZero(MemoryLayout layout, Function<MemorySegment, ? extends T> view) {
        return zero(NAME, null, layout, view);
    }

    /**
     * Like {@link #createZero(MemoryLayout, Function)}, with a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     */
    public static <T> DynamicPerCpu<T> createZero(
            String name, MemoryLayout layout, Function<MemorySegment, ? extends T> view) {
        return zero(Registry.checkName(name), layout.toString(), layout, view);
    }

    private static <T> DynamicPerCpu<T> zero(
            String name, @Nullable String type, MemoryLayout layout, Function<MemorySegment, ? extends T> view) {
        // Before the memory is taken, as giving it back needs room too.
        StackRoom.CURRENT.ensure();
        Slices memory = Area.collectable(layout.byteSize(), layout.byteAlignment(), name);
        boolean done = false;
        try {
            DynamicPerCpu<T> variable = from(name, type, memory, cpu -> view.apply(memory.of(cpu.id())));
            done = true;
            return variable;
        } finally {
            if (!done) {
                memory.close();
            }
        }
    }

    /**
     * Creates a variable whose instances come from {@code factory}, one for each possible CPU. If the factory throws,
     * the instances that it has created are closed if they are {@link AutoCloseable}.
     *
     * <p>Two CPUs may get the same object only if it is immutable and not {@link AutoCloseable}, such as an initial
     * value that is {@linkplain PerCpuToken#replace replaced}. No guard keeps two threads out of an object that two
     * CPUs share, and it would be closed for each of them.
     */
    public static <T> DynamicPerCpu<T> createWith(Supplier<? extends T> factory) {
        return createFrom(cpu -> factory.get());
    }

    /**
     * Like {@link #createWith(Supplier)}, with a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     */
    public static <T> DynamicPerCpu<T> createWith(String name, Supplier<? extends T> factory) {
        return createFrom(name, cpu -> factory.get());
    }

    /**
     * Creates a variable whose instances {@code factory} creates, each from the id of a possible CPU, in ascending
     * order. If the factory throws, the instances that it has created are closed if they are {@link AutoCloseable}. Two
     * CPUs may get the same object only as {@link #createWith(Supplier)} says.
     */
    public static <T> DynamicPerCpu<T> createFrom(Function<CpuId, ? extends T> factory) {
        return from(NAME, null, null, factory);
    }

    /**
     * Like {@link #createFrom(Function)}, with a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     */
    public static <T> DynamicPerCpu<T> createFrom(String name, Function<CpuId, ? extends T> factory) {
        return from(Registry.checkName(name), "object", null, factory);
    }

    /**
     * Creates a variable. If that fails, the instances that were created are closed.
     *
     * @param type how the variable is listed; null if it is not
     * @param memory what the instances are views of, which the caller gives back if this fails; null if they are
     *     objects on the heap
     */
    private static <T> DynamicPerCpu<T> from(
            String name, @Nullable String type, @Nullable Slices memory, Function<CpuId, ? extends T> factory) {
        Runnable giveBack = memory == null ? DynamicPerCpu::giveNothingBack : memory::close;
        return Instances.allOrNone(made -> {
            Lifetime lifetime = new Lifetime(name);
            PerCpuPtr<T> ptr = memory == null
                    ? PerCpuPtr.toObjects(lifetime, made, factory)
                    : PerCpuPtr.toMemory(lifetime, memory.position(), made, PerCpuPtr.newBorrows(), factory);
            DynamicPerCpu<T> variable = new DynamicPerCpu<>(new Shared<>(lifetime, ptr, giveBack));
            if (type != null) {
                variable.list(name, type, Registry.NOTHING);
            }
            return variable;
        });
    }

    /**
     * Creates a number that the guard protects: see {@link StaticPerCpu#defineNumeric}.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicPerCpu<NumericCell> createNumeric(NumericWidth width, long initial) {
        return numeric(NAME, width, initial);
    }

    /**
     * Like {@link #createNumeric(NumericWidth, long)}, with a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     */
    public static DynamicPerCpu<NumericCell> createNumeric(String name, NumericWidth width, long initial) {
        DynamicPerCpu<NumericCell> variable = numeric(Registry.checkName(name), width, initial);
        variable.list(name, "guarded " + width, shared -> NumericCell.values(shared.ptr));
        return variable;
    }

    private static DynamicPerCpu<NumericCell> numeric(String name, NumericWidth width, long initial) {
        // The memory is not given back at once: the sequences of PerCpuNumeric.of hold the position as a plain number.
        Lifetime lifetime = new Lifetime(name);
        int position = Area.allocateFor(lifetime, Long.BYTES, Long.BYTES, name);
        PerCpuPtr<NumericCell> ptr = NumericCell.cells(lifetime, position, width, initial);
        return new DynamicPerCpu<>(new Shared<>(lifetime, ptr, DynamicPerCpu::giveNothingBack));
    }

    /** For instances on the heap, and for those whose memory the garbage collector gives back. */
    private static void giveNothingBack() {}

    /** Adds the instances to the listing, where they stay as long as there is a handle to them. */
    private void list(String name, String type, Registry.Reader<? super Shared<T>> reader) {
        shared.listed = Registry.addClosable(name, type, shared, reader);
    }

    @Override
    public PerCpuPtr<T> ptr() {
        checkOpen();
        return shared.ptr;
    }

    /**
     * Creates another handle to the same instances: the Rust API's {@code clone}.
     *
     * @throws IllegalStateException if this handle is closed
     */
    public DynamicPerCpu<T> share() {
        checkOpen();
        // The handle is created before it is counted: if it were counted but could not be created, nothing could ever
        // close it.
        DynamicPerCpu<T> handle = new DynamicPerCpu<>(shared);
        shared.addHandle();
        return handle;
    }

    /**
     * Closes this handle, and the instances if it is the last one. Closing it again does nothing, unless the first call
     * failed half way: then the next call continues where that one stopped.
     *
     * <p>To close the instances, it acquires the guard of each CPU. If another thread holds one, it waits until that
     * thread closes the guard, without a limit. If closing an instance throws, the others are closed all the same, and
     * the memory is given back: the variable is closed then, and only the exception is left to be thrown.
     *
     * @throws IllegalStateException in three cases. First, this is the last handle and this thread holds a guard, so it
     *     must not wait for the guards of other CPUs; nothing is closed. Second, the guard of a CPU could not be
     *     acquired; the variable is closed, but no instance is, and closing the handle again retries. Third, what
     *     closing an instance threw first is a checked exception, which is the cause
     * @throws RuntimeException what closing an instance threw first, when all were closed; it suppresses the others. An
     *     {@link Error} is thrown likewise
     */
    @Override
    public void close() {
        // Allocated first: once the handle counts as closed, only what follows remembers that instances are left.
        Failures failures = new Failures();
        synchronized (shared) {
            if (state == CLOSED) {
                return;
            }
            shared.checkRemovable(state == OPEN);
            boolean isLast = state == BROKEN_OFF || shared.removeHandle();
            state = CLOSED;
            if (!isLast) {
                return;
            }
        }
        try {
            shared.awaitTokens();
            shared.closeInstances(failures);
        } catch (Throwable e) {
            state = BROKEN_OFF;
            // The next call does not close these instances again, and would not know.
            failures.addTo(e);
            throw e;
        }
        failures.rethrow("closing an instance failed");
    }

    private void checkOpen() {
        if (state != OPEN) {
            throw new IllegalStateException("this handle of " + shared.name() + " is closed");
        }
    }

    @Override
    public String toString() {
        return (state != OPEN ? "closed handle to " : "handle to ") + shared.ptr.target();
    }

    /** The state that all handles to the same instances share. */
    private static final class Shared<T> {
        private final Lifetime lifetime;
        private final PerCpuPtr<T> ptr;
        private final Runnable giveBack;
        private @Nullable Reference<?> listed;
        private int handles = 1;

        /** The CPUs with ids below this one have no token left. Only the closing thread uses this field. */
        private int cpusWithoutTokens;

        /** The CPUs with ids below this one have no instance left to close. Only the closing thread uses this field. */
        private int closedCpus;

        /** @param giveBack gives the instances' memory back, once they are closed */
        private Shared(Lifetime lifetime, PerCpuPtr<T> ptr, Runnable giveBack) {
            this.lifetime = lifetime;
            this.ptr = ptr;
            this.giveBack = giveBack;
        }

        /** What messages call the variable. */
        private String name() {
            return lifetime.name();
        }

        private synchronized void addHandle() {
            if (handles == 0) {
                throw new IllegalStateException("the last handle of " + name() + " was closed meanwhile");
            }
            handles++;
        }

        private void checkRemovable(boolean hasHandle) {
            boolean isLast = handles == (hasHandle ? 1 : 0);
            int owned = isLast ? Ownership.ownedBy(Thread.currentThread()) : -1;
            if (owned >= 0) {
                throw new IllegalStateException("the last handle of " + name()
                        + " cannot be closed while this thread holds the guard of CPU " + owned
                        + ": close the guard first");
            }
        }

        private boolean removeHandle() {
            handles--;
            return handles == 0;
        }

        /**
         * Waits until no thread holds a token. No handle is open any more, and closing the variable prevents new
         * tokens. A thread may still hold a token, and the guard it was created with: once this thread has acquired
         * that guard, no thread holds such a token. If this method fails, it can be called again.
         */
        private void awaitTokens() {
            lifetime.close();
            if (listed != null) {
                listed.clear();
            }
            for (CpuId cpu : CpuMask.possible()) {
                if (cpu.id() >= cpusWithoutTokens) {
                    awaitTokens(cpu);
                    cpusWithoutTokens = cpu.id() + 1;
                }
            }
        }

        private void awaitTokens(CpuId cpu) {
            // Otherwise the stack could overflow when the guard below is closed. It would stay open, as no later call
            // comes back to this CPU.
            StackRoom.CURRENT.ensure();
            try (CpuGuard _ = CpuGuard.acquire(cpu)) {
                // The guard was acquired, so no thread holds a token for this CPU's instance.
            } catch (RuntimeException e) {
                throw new IllegalStateException(
                        name() + " is closed, but none of its instances is, as the guard of " + cpu
                                + " could not be acquired: " + e.getMessage()
                                + ". Close the same handle again to close them",
                        e);
            }
        }

        /**
         * Closes the instances, without holding a guard: instances may be large, may block, and may close variables of
         * their own. No instance can be replaced any more, because that takes a token. If this method fails, it can be
         * called again.
         */
        private void closeInstances(Failures failures) {
            for (CpuId cpu : CpuMask.possible()) {
                if (cpu.id() >= closedCpus) {
                    StackRoom.CURRENT.ensure();
                    T instance = ptr.instanceEvenIfClosed(cpu.id());
                    try {
                        Instances.close(instance, failures);
                    } finally {
                        // Even if what the instance threw could not be handled, for want of memory.
                        closedCpus = cpu.id() + 1;
                        ptr.forget(cpu.id());
                    }
                }
            }
            giveBack.run();
        }
    }
}

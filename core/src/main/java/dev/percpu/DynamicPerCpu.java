package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.Failures;
import dev.percpu.internal.Registry;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.Piece;
import dev.percpu.internal.area.Slices;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.memory.AreaFullException;
import dev.percpu.memory.NumericWidth;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A per-CPU variable that is made and closed at run time.
 *
 * <p>{@link #share()} makes further handles to the same instances. When the last handle is closed, each instance that
 * is {@link AutoCloseable} is closed once, by the thread that closes the handle, when no token for any of them is left.
 * Then the memory of a variable of memory is given back, and its segments can no longer be used. A handle that becomes
 * unreachable without being closed gives its memory back, and closes no instance.
 *
 * <p>A handle can be used by several threads.
 *
 * @param <T> the type of the instances
 */
public final class DynamicPerCpu<T> implements PerCpu<T>, AutoCloseable {
    private static final String NAME = "a dynamic per-CPU variable";

    private static final int OPEN = 0;

    /** Closed, as far as this handle goes; and a thread is at work on the instances, if it was the last. */
    private static final int CLOSED = 1;

    /** Closed, but for instances that are still to be closed. */
    private static final int BROKEN_OFF = 2;

    private final Shared<T> shared;

    /** Changed under the lock of {@link #shared}, except from closed to broken off, which is for the closing thread. */
    private volatile int state = OPEN;

    private DynamicPerCpu(Shared<T> shared) {
        this.shared = shared;
    }

    /**
     * Creates a variable of zeroed memory.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicPerCpu<MemorySegment> createZero(MemoryLayout layout) {
        return createZero(layout, Function.identity());
    }

    /**
     * Creates a variable whose instances are views of zeroed memory.
     *
     * @param view makes the view of one CPU's memory; called once for each
     * @throws AreaFullException if the per-CPU area is full
     */
    public static <T> DynamicPerCpu<T> createZero(MemoryLayout layout, Function<MemorySegment, ? extends T> view) {
        return DynamicPerCpu.<T>zero(NAME, layout, view);
    }

    /**
     * Like {@link #createZero(MemoryLayout, Function)}, with a name.
     *
     * @param name for messages and listings; it need not be unique
     */
    public static <T> DynamicPerCpu<T> createZero(
            String name, MemoryLayout layout, Function<MemorySegment, ? extends T> view) {
        return DynamicPerCpu.<T>zero(Registry.checkName(name), layout, view).listed(name, layout.toString());
    }

    private static <T> DynamicPerCpu<T> zero(
            String name, MemoryLayout layout, Function<MemorySegment, ? extends T> view) {
        Slices memory = Area.collectable(layout.byteSize(), layout.byteAlignment(), name);
        Function<CpuId, T> instance = cpu -> view.apply(memory.of(cpu.id()));
        boolean made = false;
        try {
            DynamicPerCpu<T> variable = create(
                    Piece.empty(name), piece -> PerCpuPtr.toMemory(piece, memory.position(), instance), memory::close);
            made = true;
            return variable;
        } finally {
            if (!made) {
                memory.close();
            }
        }
    }

    /** Creates a variable with what {@code factory} makes for each CPU. */
    public static <T> DynamicPerCpu<T> createWith(Supplier<? extends T> factory) {
        return createFrom(cpu -> factory.get());
    }

    /**
     * Like {@link #createWith(Supplier)}, with a name.
     *
     * @param name for messages and listings; it need not be unique
     */
    public static <T> DynamicPerCpu<T> createWith(String name, Supplier<? extends T> factory) {
        return createFrom(name, cpu -> factory.get());
    }

    /**
     * Creates a variable with what {@code factory} makes of each possible CPU's id, in ascending order. If it throws,
     * what it has made and is {@link AutoCloseable} is closed.
     */
    public static <T> DynamicPerCpu<T> createFrom(Function<CpuId, ? extends T> factory) {
        return from(NAME, factory);
    }

    /**
     * Like {@link #createFrom(Function)}, with a name.
     *
     * @param name for messages and listings; it need not be unique
     */
    public static <T> DynamicPerCpu<T> createFrom(String name, Function<CpuId, ? extends T> factory) {
        return DynamicPerCpu.<T>from(Registry.checkName(name), factory).listed(name, "object");
    }

    private static <T> DynamicPerCpu<T> from(String name, Function<CpuId, ? extends T> factory) {
        // All that is needed to close what was made exists before the first instance does: by then the heap may be
        // full.
        List<T> made = new ArrayList<>(CpuMask.possible().weight());
        Failures failures = new Failures();
        Function<Piece, PerCpuPtr<T>> instances = piece -> PerCpuPtr.toObjects(piece, cpu -> {
            T instance = factory.apply(cpu);
            made.add(instance);
            return instance;
        });
        try {
            return create(Piece.empty(name), instances, DynamicPerCpu::giveNothingBack);
        } catch (RuntimeException | Error e) {
            for (int i = 0; i < made.size(); i++) {
                close(made.get(i), failures);
            }
            failures.addTo(e);
            throw e;
        }
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
     * @param name for messages and listings; it need not be unique
     */
    public static DynamicPerCpu<NumericCell> createNumeric(String name, NumericWidth width, long initial) {
        return numeric(Registry.checkName(name), width, initial).listed(name, "guarded " + width);
    }

    private static DynamicPerCpu<NumericCell> numeric(String name, NumericWidth width, long initial) {
        // Not given back at once: the sequences of PerCpuNumeric.of have the position as a number.
        return create(
                Piece.collectable(name, Long.BYTES, Long.BYTES),
                piece -> NumericCell.cells(piece, width, initial),
                DynamicPerCpu::giveNothingBack);
    }

    /** For instances on the heap, and for those whose memory the collector gives back. */
    private static void giveNothingBack() {}

    /** @param giveBack gives the instances' memory back, once they are closed */
    private static <T> DynamicPerCpu<T> create(
            Piece piece, Function<Piece, PerCpuPtr<T>> instances, Runnable giveBack) {
        return new DynamicPerCpu<>(new Shared<>(piece, instances.apply(piece), giveBack));
    }

    /** Lists the instances, for as long as there is a handle to them. */
    private DynamicPerCpu<T> listed(String name, String type) {
        Registry.add(name, type, shared);
        return this;
    }

    @Override
    public PerCpuPtr<T> ptr() {
        checkOpen();
        return shared.ptr;
    }

    /**
     * Makes another handle to the same instances: the Rust API's {@code clone}.
     *
     * @throws IllegalStateException if this handle is closed
     */
    public DynamicPerCpu<T> share() {
        checkOpen();
        // Made before it is counted: a handle that is counted and could not be made would never be closed.
        DynamicPerCpu<T> handle = new DynamicPerCpu<>(shared);
        shared.addHandle();
        return handle;
    }

    /**
     * Closes this handle, and the instances if it is the last one. Closing it again does nothing, unless the first time
     * failed half way: then it goes on where that stopped.
     *
     * @throws IllegalStateException if it is the last one and this thread holds a guard, as it then must not wait for
     *     those of the other CPUs: nothing is closed; or if the guard of a CPU could not be acquired: the variable is
     *     closed, but no instance is, and closing the handle again tries it again; or if closing an instance throws a
     *     checked exception, which is the cause: the others are closed all the same
     */
    @Override
    public void close() {
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
        Failures failures = new Failures();
        boolean done = false;
        try {
            shared.awaitTokens();
            shared.closeInstances(failures);
            done = true;
        } finally {
            if (!done) {
                state = BROKEN_OFF;
            }
        }
        failures.rethrow("closing an instance failed");
    }

    private void checkOpen() {
        if (state != OPEN) {
            throw new IllegalStateException("this handle of " + shared.ptr + " is closed");
        }
    }

    @Override
    public String toString() {
        return (state != OPEN ? "closed dynamic " : "dynamic ") + shared.ptr;
    }

    /** What all handles to the same instances have in common. */
    private static final class Shared<T> {
        private final Piece piece;
        private final PerCpuPtr<T> ptr;
        private final Runnable giveBack;
        private int handles = 1;

        /** The CPUs up to this one, exclusive, have no token left. For the closing thread. */
        private int cpusWithoutTokens;

        /** The CPUs up to this one, exclusive, have no instance left to close. For the closing thread. */
        private int closedCpus;

        private Shared(Piece piece, PerCpuPtr<T> ptr, Runnable giveBack) {
            this.piece = piece;
            this.ptr = ptr;
            this.giveBack = giveBack;
        }

        private synchronized void addHandle() {
            if (handles == 0) {
                throw new IllegalStateException("the last handle of " + ptr + " was closed meanwhile");
            }
            handles++;
        }

        private void checkRemovable(boolean hasHandle) {
            boolean isLast = handles == (hasHandle ? 1 : 0);
            int owned = isLast ? Ownership.ownedBy(Thread.currentThread()) : -1;
            if (owned >= 0) {
                throw new IllegalStateException("the last handle of " + ptr
                        + " cannot be closed while this thread holds the guard of CPU " + owned
                        + ": close the guard first");
            }
        }

        private boolean removeHandle() {
            handles--;
            return handles == 0;
        }

        /**
         * Nobody has a handle any more, and closing the piece keeps everyone from making tokens. Somebody may still
         * hold one, and a guard for it: once that guard could be had, nobody does. It can be called again if it fails.
         */
        private void awaitTokens() {
            piece.close();
            Registry.remove(this);
            for (CpuId cpu : CpuMask.possible()) {
                if (cpu.id() >= cpusWithoutTokens) {
                    awaitTokens(cpu);
                    cpusWithoutTokens = cpu.id() + 1;
                }
            }
        }

        private void awaitTokens(CpuId cpu) {
            try (CpuGuard _ = CpuGuard.acquire(cpu)) {
                // Had, so nobody has a token.
            } catch (RuntimeException e) {
                throw new IllegalStateException(
                        ptr + " is closed, but none of its instances is, as the guard of " + cpu
                                + " could not be acquired: " + e.getMessage()
                                + ". Close the same handle again to close them",
                        e);
            }
        }

        /**
         * Outside the guards, as instances may be large, may block, and may close variables of their own. What the
         * instances are is settled: only who has a token can replace one. It can be called again if it fails.
         */
        private void closeInstances(Failures failures) {
            for (CpuId cpu : CpuMask.possible()) {
                if (cpu.id() >= closedCpus) {
                    DynamicPerCpu.close(ptr.instanceEvenIfClosed(cpu.id()), failures);
                    closedCpus = cpu.id() + 1;
                }
            }
            giveBack.run();
        }
    }

    /** Closes an object that can be closed, and remembers what that throws. */
    private static void close(Object object, Failures failures) {
        if (object instanceof AutoCloseable closeable) {
            try {
                closeable.close();
            } catch (Throwable e) {
                failures.add(e);
            }
        }
    }
}

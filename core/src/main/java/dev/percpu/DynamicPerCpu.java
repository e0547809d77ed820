package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.Failures;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.Piece;
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
 * is {@link AutoCloseable} is closed once, by the thread that closes the handle, when no token for any of them is left. A handle that becomes unreachable without being
 * closed gives its memory back, and closes no instance.
 *
 * <p>A handle can be used by several threads.
 *
 * @param <T> the type of the instances
 */
public final class DynamicPerCpu<T> implements PerCpu<T>, AutoCloseable {
    private static final String NAME = "a dynamic per-CPU variable";

    private final Shared<T> shared;
    private volatile boolean closed;

    private DynamicPerCpu(Shared<T> shared) {
        this.shared = shared;
    }

    /**
     * Makes a variable of zeroed memory.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicPerCpu<MemorySegment> createZero(MemoryLayout layout) {
        return createZero(layout, Function.identity());
    }

    /**
     * Makes a variable whose instances are views of zeroed memory.
     *
     * @param view makes the view of one CPU's memory; called once for each
     * @throws AreaFullException if the per-CPU area is full
     */
    public static <T> DynamicPerCpu<T> createZero(MemoryLayout layout, Function<MemorySegment, ? extends T> view) {
        Area.Slices memory = Area.collectable(layout.byteSize(), layout.byteAlignment(), NAME);
        Function<CpuId, T> instance = cpu -> view.apply(memory.of(cpu.id()));
        return create(Piece.empty(NAME), piece -> PerCpuPtr.toMemory(piece, memory.position(), instance));
    }

    /** Makes a variable with what {@code factory} makes for each CPU. */
    public static <T> DynamicPerCpu<T> createWith(Supplier<? extends T> factory) {
        return createFrom(cpu -> factory.get());
    }

    /**
     * Makes a variable with what {@code factory} makes of each possible CPU's id, in ascending order. If it throws,
     * what it has made and is {@link AutoCloseable} is closed.
     */
    public static <T> DynamicPerCpu<T> createFrom(Function<CpuId, ? extends T> factory) {
        return create(Piece.empty(NAME), piece -> {
            List<T> made = new ArrayList<>();
            try {
                return PerCpuPtr.toObjects(piece, cpu -> {
                    T instance = factory.apply(cpu);
                    made.add(instance);
                    return instance;
                });
            } catch (RuntimeException | Error e) {
                Failures failures = new Failures();
                made.forEach(instance -> close(instance, failures));
                failures.addTo(e);
                throw e;
            }
        });
    }

    /**
     * Makes a number that the guard protects: see {@link StaticPerCpu#defineNumeric}.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicPerCpu<NumericCell> createNumeric(NumericWidth width, long initial) {
        return create(
                Piece.collectable(NAME, Long.BYTES, Long.BYTES), piece -> NumericCell.cells(piece, width, initial));
    }

    private static <T> DynamicPerCpu<T> create(Piece piece, Function<Piece, PerCpuPtr<T>> instances) {
        return new DynamicPerCpu<>(new Shared<>(piece, instances.apply(piece)));
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
        shared.addHandle();
        return new DynamicPerCpu<>(shared);
    }

    /**
     * Closes this handle, and the instances if it is the last one. Closing it again does nothing.
     *
     * @throws IllegalStateException if it is the last one and this thread holds a guard, as it then must not wait for
     *     those of the other CPUs: nothing is closed; or if closing an instance throws a checked exception, which is
     *     the cause: the others are closed all the same
     */
    @Override
    public void close() {
        synchronized (shared) {
            if (closed) {
                return;
            }
            shared.checkRemovable();
            closed = true;
            if (!shared.removeHandle()) {
                return;
            }
        }
        shared.closeInstances();
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("this handle of " + shared.ptr + " is closed");
        }
    }

    @Override
    public String toString() {
        return (closed ? "closed dynamic " : "dynamic ") + shared.ptr;
    }

    /** What all handles to the same instances have in common. */
    private static final class Shared<T> {
        private final Piece piece;
        private final PerCpuPtr<T> ptr;
        private int handles = 1;

        private Shared(Piece piece, PerCpuPtr<T> ptr) {
            this.piece = piece;
            this.ptr = ptr;
        }

        private synchronized void addHandle() {
            if (handles == 0) {
                throw new IllegalStateException("the last handle of " + ptr + " was closed meanwhile");
            }
            handles++;
        }

        private void checkRemovable() {
            int owned = handles == 1 ? Ownership.ownedBy(Thread.currentThread()) : -1;
            if (owned >= 0) {
                throw new IllegalStateException(
                        "the last handle of " + ptr + " cannot be closed while this thread holds" + " the guard of CPU "
                                + owned + ": close the guard first");
            }
        }

        private boolean removeHandle() {
            handles--;
            return handles == 0;
        }

        /**
         * Nobody has a handle any more, and closing the piece keeps everyone from making tokens. Somebody may still
         * hold one, and a guard for it: once that guard could be had, nobody does. The instances are closed outside the
         * guards, as they may be large, may block, and may close variables of their own.
         */
        private void closeInstances() {
            piece.close();
            List<T> instances = new ArrayList<>();
            for (CpuId cpu : CpuMask.possible()) {
                try (CpuGuard guard = CpuGuard.acquire(cpu)) {
                    instances.add(ptr.instanceEvenIfClosed(guard.cpu().id()));
                }
            }
            Failures failures = new Failures();
            instances.forEach(instance -> DynamicPerCpu.close(instance, failures));
            failures.rethrow("closing an instance failed");
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

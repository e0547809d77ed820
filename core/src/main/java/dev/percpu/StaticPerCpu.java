package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.Claim;
import dev.percpu.internal.listing.Registry;
import dev.percpu.memory.AreaFullException;
import dev.percpu.memory.NumericWidth;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A per-CPU variable that lives as long as the process: define it in a {@code static final} field.
 *
 * <pre>{@code
 * static final StaticPerCpu<Statistics> STATISTICS = StaticPerCpu.define("requests", Statistics::new);
 *
 * STATISTICS.run(statistics -> statistics.count(request));
 * }</pre>
 *
 * <p>This is the kernel's {@code DEFINE_PER_CPU} and the Rust API's {@code define_per_cpu!}. {@link PerCpuRuntime}
 * lists all variables that are defined.
 *
 * <p>Instances on the heap that the supplier creates are kept on cache lines of their own, and stay there when the
 * garbage collector moves them. This does not hold for:
 *
 * <ul>
 *   <li>the objects that an instance refers to;
 *   <li>an instance that has {@linkplain PerCpuToken#replace replaced} another;
 *   <li>all instances, if the collector is ZGC, and either the heap is smaller than 40 MiB for each CPU, or a thread
 *       reads the instances of several CPUs in another way than by {@link #forEachCpu}. With ZGC a thread can move an
 *       object that it reads, and then does not move what keeps it apart from others.
 * </ul>
 *
 * <p>The garbage collector can put such objects of two CPUs side by side, and then the two CPUs contend for a cache
 * line. If the data is small and changes often, put it into the per-CPU area instead: {@link #defineNumeric}, or {@link
 * #define(String, MemoryLayout, Function)}.
 *
 * @param <T> the type of the instances
 */
public final class StaticPerCpu<T> implements PerCpu<T> {
    private final PerCpuPtr<T> ptr;

    private StaticPerCpu(PerCpuPtr<T> ptr) {
        this.ptr = ptr;
    }

    private static <T> StaticPerCpu<T> register(
            String name, String type, PerCpuPtr<T> ptr, Registry.Reader<? super PerCpuPtr<T>> reader) {
        StaticPerCpu<T> variable = new StaticPerCpu<>(ptr);
        Registry.addStatic(name, type, ptr, reader);
        return variable;
    }

    /**
     * Defines a variable with a heap object for each possible CPU.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param initial creates one CPU's instance, and does not return null; called once for each possible CPU, during
     *     this call. Two CPUs may get the same object only if it is immutable, such as an initial value that is
     *     replaced: no guard keeps two threads out of an object that two CPUs share. If it throws, the instances that
     *     it has created are closed if they are {@link AutoCloseable}
     */
    public static <T> StaticPerCpu<T> define(String name, Supplier<? extends T> initial) {
        Lifetime lifetime = new Lifetime(Registry.checkName(name));
        return Instances.allOrNone(made ->
                register(name, "object", PerCpuPtr.toObjects(lifetime, made, cpu -> initial.get()), Registry.NOTHING));
    }

    /**
     * Defines a variable whose instances are zeroed memory of the per-CPU area.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param layout the size and alignment of an instance
     * @throws IllegalArgumentException if the layout has no bytes, or an alignment above 4096 bytes
     * @throws AreaFullException if the per-CPU area is full
     */
    public static StaticPerCpu<MemorySegment> define(String name, MemoryLayout layout) {
        try (Claim memory = Area.claim(layout.byteSize(), layout.byteAlignment(), Registry.checkName(name))) {
            StaticPerCpu<MemorySegment> variable = at(memory.position(), name, layout, Function.identity());
            memory.keep();
            return variable;
        }
    }

    /**
     * Defines a variable whose instances are views of zeroed memory of the per-CPU area.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param layout the size and alignment of an instance
     * @param view creates the view of one CPU's memory; called once for each possible CPU, during this call. If it
     *     writes to the memory, the memory becomes resident even for CPUs that never use it. If it throws, the library
     *     does not give the memory to another variable, since the function may have kept it; the views that it has
     *     created are closed if they are {@link AutoCloseable}
     * @throws IllegalArgumentException if the layout has no bytes, or an alignment above 4096 bytes
     * @throws AreaFullException if the per-CPU area is full
     */
    public static <T> StaticPerCpu<T> define(
            String name, MemoryLayout layout, Function<MemorySegment, ? extends T> view) {
        try (Claim memory = Area.claim(layout.byteSize(), layout.byteAlignment(), Registry.checkName(name))) {
            return at(memory.position(), name, layout, instance -> {
                memory.keep();
                return view.apply(instance);
            });
        }
    }

    private static <T> StaticPerCpu<T> at(
            long position, String name, MemoryLayout layout, Function<MemorySegment, ? extends T> view) {
        Lifetime lifetime = new Lifetime(name);
        Function<CpuId, T> instance = cpu -> view.apply(Area.slice(cpu.id(), position, layout.byteSize()));
        return Instances.allOrNone(made -> register(
                name,
                layout.toString(),
                PerCpuPtr.toMemory(lifetime, position, made, PerCpuPtr.newBorrows(), instance),
                Registry.NOTHING));
    }

    /**
     * Like {@link #define(String, MemoryLayout, Function)}, with memory that starts as a copy of {@code initial}.
     *
     * @throws IllegalArgumentException if {@code initial} and the layout differ in size
     */
    public static <T> StaticPerCpu<T> define(
            String name, MemoryLayout layout, Function<MemorySegment, ? extends T> view, MemorySegment initial) {
        if (initial.byteSize() != layout.byteSize()) {
            throw new IllegalArgumentException(name + ": the initial value has " + initial.byteSize()
                    + " bytes, and the layout " + layout.byteSize());
        }
        return define(name, layout, memory -> view.apply(memory.copyFrom(initial)));
    }

    /**
     * Defines a number that the guard protects, possibly together with other variables. {@link PerCpuNumeric#of}
     * updates it without a token. For a number that needs no guard, use
     * {@link PerCpuNumeric#define(String, NumericWidth)}.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param initial the initial value of each CPU's instance, truncated to the width
     * @throws AreaFullException if the per-CPU area is full
     */
    public static StaticPerCpu<NumericCell> defineNumeric(String name, NumericWidth width, long initial) {
        try (Claim memory = Area.claim(Long.BYTES, Long.BYTES, Registry.checkName(name))) {
            PerCpuPtr<NumericCell> ptr = NumericCell.cells(new Lifetime(name), memory.position(), width, initial);
            StaticPerCpu<NumericCell> variable = register(name, "guarded " + width, ptr, NumericCell::values);
            memory.keep();
            return variable;
        }
    }

    @Override
    public PerCpuPtr<T> ptr() {
        return ptr;
    }

    @Override
    public String toString() {
        return "static per-CPU variable " + ptr.target();
    }
}

package dev.percpu;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.extern.NativeVariable;
import dev.percpu.internal.listing.Registry;
import dev.percpu.memory.AreaFullException;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.function.Function;

/**
 * A per-CPU variable that C code in this process defines with {@code percpu.h} and that Java code declares: the
 * kernel's {@code DECLARE_PER_CPU}, and the Rust API's {@code declare_extern_per_cpu!}.
 *
 * <pre>{@code
 * DEFINE_PER_CPU(struct packet, largest_packet);                    // in C
 *
 * static final ExternPerCpu<MemorySegment> LARGEST =
 *         ExternPerCpu.declare(LOOKUP, "largest_packet", LAYOUT);   // in Java
 * }</pre>
 *
 * <p>A number that no guard protects is declared with {@link PerCpuNumeric#declare}.
 *
 * <p>C code and Java code update the same instances by the same rules. They update numbers by sequences, or by atomic
 * instructions where sequences do not work. They update everything else under the CPU's guard, which they share.
 *
 * <p>The first declaration of any variable of a library gives all of the library's variables their memory in the
 * per-CPU area. If C code has used them before, they are moved there with their contents, which waits for guards that C
 * code holds. Each library has its own variables, so variables of different libraries may have the same name.
 *
 * <p>A declaration can be repeated, and is never closed. A library that has variables here stays loaded. Once the
 * {@link java.lang.foreign.Arena} of its lookup is closed, whatever was declared through the lookup throws {@link
 * IllegalStateException}, and the memory remains the library's.
 *
 * @param <T> the type of the instances
 */
public final class ExternPerCpu<T> implements PerCpu<T> {
    private final NativeVariable variable;
    private final PerCpuPtr<T> ptr;

    private ExternPerCpu(NativeVariable variable, PerCpuPtr<T> ptr) {
        this.variable = variable;
        this.ptr = ptr;
    }

    /**
     * Declares a variable whose instances are memory that the guard protects: C code accesses them
     * with {@code get_cpu_ptr}.
     *
     * @param library where to look the variable up
     * @param name the variable's name in C
     * @param layout the variable's layout
     * @throws java.util.NoSuchElementException if the library has no such variable
     * @throws IllegalArgumentException if the symbol with this name is not a per-CPU variable, has another size, or
     *     does not have the alignment that the layout requires
     * @throws IllegalStateException if the arena of {@code library} is closed, or if the library's variables cannot be
     *     placed, as the message says: they are in another area, this thread holds a guard, or the kernel refuses
     * @throws AreaFullException if the per-CPU area has no room for the library's variables
     * @throws UnsupportedOperationException if native code cannot be called here
     * @throws WrongThreadException if the arena of {@code library} belongs to another thread
     */
    public static ExternPerCpu<MemorySegment> declare(SymbolLookup library, String name, MemoryLayout layout) {
        return declare(library, name, layout, Function.identity());
    }

    /**
     * Like {@link #declare(SymbolLookup, String, MemoryLayout)}, with views of the memory.
     *
     * @param view creates the view of one CPU's memory; called once for each possible CPU, during this call. It must
     *     not touch the memory, which C code may be using. If it throws, the views that it has created are closed if
     *     they are {@link AutoCloseable}
     */
    public static <T> ExternPerCpu<T> declare(
            SymbolLookup library, String name, MemoryLayout layout, Function<MemorySegment, ? extends T> view) {
        NativeVariable variable = NativeVariable.find(library, name);
        variable.checkSize(layout.byteSize(), layout);
        variable.checkAlignment(layout.byteAlignment(), layout);
        return Instances.allOrNone(made -> {
            ExternPerCpu<T> declared = new ExternPerCpu<>(
                    variable,
                    PerCpuPtr.toMemory(
                            new Lifetime(variable.name()),
                            variable.position(),
                            made,
                            variable.borrows().computeIfAbsent(variable.position(), position -> PerCpuPtr.newBorrows()),
                            cpu -> view.apply(Area.slice(cpu.id(), variable.position(), variable.bytes()))));
            Registry.add(name, "extern " + layout, declared, Registry.NOTHING);
            return declared;
        });
    }

    /**
     * The pointer to the instances.
     *
     * @throws IllegalStateException if the arena of the lookup is closed
     */
    @Override
    public PerCpuPtr<T> ptr() {
        variable.checkOpen();
        return ptr;
    }

    @Override
    public String toString() {
        return "extern per-CPU variable " + ptr.target();
    }
}

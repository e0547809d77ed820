package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.Claim;
import dev.percpu.internal.area.WidthAccess;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.extern.NativeVariable;
import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.listing.Values;
import dev.percpu.internal.protocol.Numbers;
import dev.percpu.listing.Value;
import dev.percpu.memory.AreaFullException;
import dev.percpu.memory.NumericWidth;
import java.lang.foreign.SymbolLookup;
import java.lang.ref.Reference;
import java.util.List;

/**
 * A per-CPU number of 8, 16, 32 or 64 bits: each CPU has its own instance, and a thread updates it in one step. On the
 * back end {@code rseq} that takes no lock and no atomic instruction.
 *
 * <pre>{@code
 * static final PerCpuNumeric REQUESTS = PerCpuNumeric.define("requests", NumericWidth.LONG);
 *
 * REQUESTS.increment();
 * long total = REQUESTS.sum();
 * }</pre>
 *
 * <p>The operations correspond to the kernel's {@code this_cpu_*}. Each is exact: it happens once, on the instance of a
 * CPU that the thread runs on during the call, even if the thread is preempted, migrated or interrupted by a signal.
 * Updates are opaque: they order no other memory access. Arithmetic wraps at the number's width. Values are passed and
 * returned as {@code long}, sign-extended.
 *
 * <p>A number from {@link #define(String, NumericWidth)} or {@link #create(NumericWidth)} stands alone: it takes as
 * many bytes for each CPU as its width, no guard protects it, and its operations never wait. A number from {@link #of}
 * belongs to a variable that the guard protects: its updates and {@link #get()} wait while another thread owns the CPU.
 * A thread that holds a guard does not wait: if another thread owns the CPU, the operation happens on the instance of a
 * CPU that this thread owns.
 *
 * <p>{@code add(0)}, {@code sub(0)}, {@code or(0)} and {@code and(-1)} can change no number, so they do nothing and
 * never wait. An update that changes nothing only because of the width or the current value is not skipped, such as
 * setting a bit beyond the width, or one that is set already: reading the current CPU's number costs as much as setting
 * the bit.
 *
 * <p>A thread without a CPU id updates the spare slot instead, with atomic instructions. {@link #sum()} includes the
 * spare slot.
 *
 * <p>Each operation throws {@link IllegalStateException} if the number is closed.
 */
public abstract sealed class PerCpuNumeric permits PureNumeric, GuardedNumeric, ExternNumeric {
    static {
        // Not in the first operation, which may come when the heap is full.
        WidthAccess.initialize();
        Numbers.initializeCompareAndExchange();
    }

    PerCpuNumeric() {}

    /**
     * Defines a number that lives as long as the process and starts at 0 on each CPU. If a CPU never updates any number
     * of a page, that page takes no memory on that CPU.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @throws AreaFullException if the per-CPU area is full
     */
    public static PerCpuNumeric define(String name, NumericWidth width) {
        return define(name, width, 0);
    }

    /**
     * Defines a number that lives as long as the process.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param initial the initial value on each possible CPU, truncated to the width
     * @throws AreaFullException if the per-CPU area is full
     */
    public static PerCpuNumeric define(String name, NumericWidth width, long initial) {
        try (Claim memory = Area.claim(width.bytes(), width.bytes(), Registry.checkName(name))) {
            PureNumeric number = new PureNumeric(name, width, memory.position(), initial);
            Registry.addStatic(name, width.toString(), number, PerCpuNumeric::values);
            memory.keep();
            return number;
        }
    }

    /**
     * Creates a number that can be closed and that starts at 0 on each CPU.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicNumeric create(NumericWidth width) {
        return create(width, 0);
    }

    /**
     * Creates a number that can be closed.
     *
     * @param initial the initial value on each possible CPU, truncated to the width
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicNumeric create(NumericWidth width, long initial) {
        return new DynamicNumeric("a dynamic per-CPU number", width, initial);
    }

    /**
     * Creates a number that can be closed, that has a name, and that starts at 0 on each CPU.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicNumeric create(String name, NumericWidth width) {
        return create(name, width, 0);
    }

    /**
     * Creates a number that can be closed and that has a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param initial the initial value on each possible CPU, truncated to the width
     * @throws AreaFullException if the per-CPU area is full
     */
    public static DynamicNumeric create(String name, NumericWidth width, long initial) {
        return new DynamicNumeric(Registry.checkName(name), width, initial).listed(name);
    }

    /**
     * Declares a number that no guard protects: C code updates it with {@code this_cpu_add} and similar macros.
     *
     * <p>Here it is signed. If it is unsigned in C and has 32 bits, {@code sum() & 0xFFFF_FFFFL} is what {@code
     * per_cpu_sum} returns.
     *
     * @param library where to look the variable up
     * @param name the variable's name in C
     * @param width the variable's size
     * @throws java.util.NoSuchElementException if the library has no such variable
     * @throws IllegalArgumentException if the symbol with this name is not a per-CPU variable, or has another size
     * @throws IllegalStateException if the arena of {@code library} is closed, or if the library's variables cannot be
     *     placed, as the message says: they are in another area, this thread holds a guard, or the kernel refuses
     * @throws AreaFullException if the per-CPU area has no room for the library's variables
     * @throws UnsupportedOperationException if native code cannot be called here
     * @throws WrongThreadException if the arena of {@code library} belongs to another thread
     */
    public static PerCpuNumeric declare(SymbolLookup library, String name, NumericWidth width) {
        ExternNumeric number = new ExternNumeric(NativeVariable.find(library, name), width);
        Registry.add(name, "extern " + width, number, PerCpuNumeric::values);
        return number;
    }

    /** Returns the operations on a number that the guard protects: the Rust API's {@code num()}. */
    public static PerCpuNumeric of(PerCpu<NumericCell> variable) {
        return new GuardedNumeric(variable);
    }

    /** The number's width. */
    public abstract NumericWidth width();

    /** Performs the operation on the current CPU's instance; see {@code Numbers.update} for the result. */
    abstract long update(Op op, long operand, long expected);

    /** Performs an operation whose result the caller does not need. */
    abstract void update(Op op, long operand);

    /** The number's position, which is the same in each CPU's place. */
    abstract long position();

    /** Throws if the number is closed. */
    final void checkOpen() {
        long _ = position();
    }

    /** The current CPU's number: {@code this_cpu_read}. */
    public long get() {
        return update(Op.READ, 0, 0);
    }

    /** Sets the current CPU's number: {@code this_cpu_write}. */
    public void set(long value) {
        update(Op.XCHG, value);
    }

    /** Adds to the current CPU's number: {@code this_cpu_add}. */
    public void add(long delta) {
        if (delta == 0) {
            checkOpen();
        } else {
            update(Op.ADD, delta);
        }
    }

    /** Subtracts from the current CPU's number: {@code this_cpu_sub}. */
    public void sub(long delta) {
        add(-delta);
    }

    /** Adds 1 to the current CPU's number: {@code this_cpu_inc}. */
    public void increment() {
        add(1);
    }

    /** Subtracts 1 from the current CPU's number: {@code this_cpu_dec}. */
    public void decrement() {
        add(-1);
    }

    /** Adds to the current CPU's number and returns the new value: {@code this_cpu_add_return}. */
    public long addAndGet(long delta) {
        return update(Op.ADD, delta, 0);
    }

    /** Adds to the current CPU's number and returns the old value. */
    public long getAndAdd(long delta) {
        return width().wrap(addAndGet(delta) - delta);
    }

    /** Clears the bits of the current CPU's number that are not set in {@code mask}: {@code this_cpu_and}. */
    public void and(long mask) {
        if (mask == -1) {
            checkOpen();
        } else {
            update(Op.AND, mask);
        }
    }

    /** Sets the bits of {@code mask} in the current CPU's number: {@code this_cpu_or}. */
    public void or(long mask) {
        if (mask == 0) {
            checkOpen();
        } else {
            update(Op.OR, mask);
        }
    }

    /** Sets the current CPU's number and returns the old value: {@code this_cpu_xchg}. */
    public long getAndSet(long value) {
        return update(Op.XCHG, value, 0);
    }

    /**
     * Sets the current CPU's number if it is {@code expected}: {@code this_cpu_cmpxchg}.
     *
     * @return the old value; {@code value} was stored if the old value equals {@code expected}, truncated to the width
     */
    public long compareAndExchange(long expected, long value) {
        return update(Op.CMPXCHG, value, expected);
    }

    /** The number of a given CPU, which a thread on any CPU can read: {@code per_cpu}. */
    public long get(CpuId cpu) {
        return read(cpu.id());
    }

    /**
     * The sum over all possible CPUs and all updates by threads without a CPU id, wrapped at 64 bits, not at the
     * number's width. It is not an atomic snapshot: it holds every update that happened before the call, and some of
     * those that happen during it.
     */
    public long sum() {
        long sum = 0;
        for (int cpu = 0; cpu <= Area.SPARE; cpu++) {
            sum += read(cpu);
        }
        return sum;
    }

    /** The part of {@link #sum()} that lies on no CPU: the updates of threads without a CPU id; almost always 0. */
    public long elsewhere() {
        return read(Area.SPARE);
    }

    /** The numbers of all possible CPUs, indexed by CPU id, with 0 at ids that belong to no possible CPU. */
    public long[] snapshot() {
        long[] numbers = new long[Area.CPUS];
        for (int cpu = 0; cpu < numbers.length; cpu++) {
            numbers[cpu] = read(cpu);
        }
        return numbers;
    }

    /** For a listing. */
    List<Value> values() {
        return List.of(value(width(), snapshot(), elsewhere()));
    }

    /**
     * The value for a listing. It is cumulative only if the number has 64 bits. A narrower one wraps before its sum
     * does, so the difference of two sums does not tell how much was added.
     */
    static Value value(NumericWidth width, long[] perCpu, long elsewhere) {
        Value sum = Values.sum("value", perCpu, elsewhere);
        return width == NumericWidth.LONG ? sum : Values.of(sum.name(), sum.total(), sum.perCpu(), sum.elsewhere());
    }

    private long read(int cpu) {
        try {
            return WidthAccess.get(width(), Area.offset(cpu, position()));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public abstract String toString();
}

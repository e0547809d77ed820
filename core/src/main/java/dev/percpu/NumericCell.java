package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.WidthAccess;
import dev.percpu.listing.Value;
import dev.percpu.memory.NumericWidth;
import java.lang.ref.Reference;
import java.util.List;

/**
 * One CPU's instance of a number that a guard protects: see {@link StaticPerCpu#defineNumeric} and {@link
 * DynamicPerCpu#createNumeric}. It lies in the per-CPU area, where CPUs share no cache line and many cells of one CPU
 * lie side by side.
 *
 * <p>Only the owner of the CPU's guard may call its methods, inside a function that it passes to a token. Writes are
 * opaque. Each method throws {@link IllegalStateException} if the variable is closed.
 */
public final class NumericCell implements InteriorMutable {
    private final Lifetime lifetime;
    private final long offset;
    private final NumericWidth width;

    NumericCell(Lifetime lifetime, long position, CpuId cpu, NumericWidth width) {
        this.lifetime = lifetime;
        this.offset = Area.offset(cpu.id(), position);
        this.width = width;
    }

    /** Creates a pointer to the cells in a piece of 8 bytes. */
    static PerCpuPtr<NumericCell> cells(Lifetime lifetime, long position, NumericWidth width, long initial) {
        return PerCpuPtr.toMemory(lifetime, position, cpu -> {
            NumericCell cell = new NumericCell(lifetime, position, cpu, width);
            if (initial != 0) {
                // The memory is zero already, and writing a zero would make its page resident.
                cell.set(initial);
            }
            return cell;
        });
    }

    /** For a listing, which reads the numbers without their guards. */
    static List<Value> values(PerCpuPtr<NumericCell> cells) {
        long[] numbers = new long[CpuMask.capacity()];
        NumericWidth width = NumericWidth.LONG;
        for (CpuId cpu : CpuMask.possible()) {
            NumericCell cell = cells.instance(cpu.id());
            numbers[cpu.id()] = cell.get();
            width = cell.width;
        }
        return List.of(PerCpuNumeric.value(width, numbers, 0));
    }

    /** The number. */
    public long get() {
        try {
            return WidthAccess.get(width, offset());
        } finally {
            Reference.reachabilityFence(lifetime);
        }
    }

    /** Sets the number to the lowest bits of {@code value}. */
    public void set(long value) {
        try {
            WidthAccess.set(width, offset(), value);
        } finally {
            Reference.reachabilityFence(lifetime);
        }
    }

    /** Adds {@code delta}. */
    public void add(long delta) {
        long _ = addAndGet(delta);
    }

    /** Adds {@code delta} and returns the new number. */
    public long addAndGet(long delta) {
        try {
            return WidthAccess.add(width, offset(), delta);
        } finally {
            Reference.reachabilityFence(lifetime);
        }
    }

    /** The number's width. */
    public NumericWidth width() {
        return width;
    }

    private long offset() {
        lifetime.checkOpen();
        // A piece has eight bytes and begins at a multiple of eight, whatever the number's width.
        return Area.within(offset);
    }

    @Override
    public String toString() {
        try {
            return Long.toString(get());
        } catch (IllegalStateException closed) {
            return lifetime.name() + ", closed";
        }
    }
}

package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.WidthAccess;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.protocol.Numbers;
import dev.percpu.memory.NumericWidth;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;

/** A number that Java code defines and that no guard protects. */
sealed class PureNumeric extends PerCpuNumeric permits DynamicNumeric {
    private static final Numbers NUMBERS = Numbers.CURRENT;

    /**
     * The position of a closed number. No number lies at 0, where the header is; and 0 is what a thread can read from
     * an object that was published unsafely.
     */
    private static final long CLOSED = 0;

    private final String name;
    private final NumericWidth width;

    /** The position in the area. */
    private long position;

    /** Makes a number that lives as long as the process. */
    PureNumeric(String name, NumericWidth width, long position, long initial) {
        this(name, width);
        begin(position, initial);
    }

    /** Makes a number that has no position before {@link #begin}. */
    PureNumeric(String name, NumericWidth width) {
        this.name = name;
        this.width = width;
    }

    /**
     * Sets the number's position, and the initial value of each possible CPU's instance. Writes nothing for 0: the
     * memory is zero already, and writing to it would make its pages resident.
     */
    final void begin(long firstPosition, long initial) {
        position = firstPosition;
        if (width.wrap(initial) != 0) {
            for (CpuId cpu : CpuMask.possible()) {
                WidthAccess.set(width, Area.offset(cpu.id(), position), initial);
            }
            // Before the number is published, perhaps by a data race: an initial value that is stored after another
            // thread's first update would replace it. A constructor's barrier for final fields may have come before.
            VarHandle.releaseFence();
        }
    }

    /** Takes the position away: every operation throws from now on. */
    final void end() {
        position = CLOSED;
    }

    final boolean isClosed() {
        return position == CLOSED;
    }

    final String name() {
        return name;
    }

    @Override
    public NumericWidth width() {
        return width;
    }

    @Override
    long position() {
        long current = position;
        if (current == CLOSED) {
            throw new IllegalStateException(name + " is closed");
        }
        return current;
    }

    @Override
    long update(Op op, long operand, long expected) {
        try {
            return width.wrap(NUMBERS.update(op, width, position(), operand, expected));
        } finally {
            // The position must not be given to another number before this point.
            Reference.reachabilityFence(this);
        }
    }

    @Override
    void update(Op op, long operand) {
        try {
            NUMBERS.update(op, width, position(), operand, 0);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public String toString() {
        return isClosed() ? name + ", closed" : name + " = " + sum();
    }
}

package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.WidthAccess;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.protocol.Numbers;
import dev.percpu.memory.NumericWidth;
import java.lang.ref.Reference;

/** A number of Java's own that no guard protects. */
abstract sealed class PureNumeric extends PerCpuNumeric permits StaticNumeric, DynamicNumeric {
    private static final Numbers NUMBERS = Numbers.CURRENT;

    /** No number lies at 0, where the header is; and 0 is what an unsafely published object could show. */
    private static final long CLOSED = 0;

    private final String name;
    private final NumericWidth width;

    /** The place in the area, kept here and not in a Piece: this field is on the hot path. */
    private long position;

    PureNumeric(String name, NumericWidth width) {
        this.name = name;
        this.width = width;
    }

    /** Gives the number its place, which it begins with, and what each possible CPU's instance begins with. */
    final void begin(long firstPosition, long initial) {
        position = firstPosition;
        initialize(initial);
    }

    /** Takes the place away: every operation throws from now on. */
    final void end() {
        position = CLOSED;
    }

    /** Zero is what the memory is already, and writing it would make pages. */
    private void initialize(long initial) {
        if (width.wrap(initial) != 0) {
            for (CpuId cpu : CpuMask.possible()) {
                WidthAccess.set(width, Area.offset(cpu.id(), position), initial);
            }
        }
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
            // Not before here may the place be given to another number.
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

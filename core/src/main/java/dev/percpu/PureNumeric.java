package dev.percpu;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.WidthAccess;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.protocol.Numbers;
import dev.percpu.memory.NumericWidth;
import java.lang.ref.Reference;

/** A number that no guard protects. */
final class PureNumeric extends PerCpuNumeric implements PerCpuRuntime.Defined {
    private static final Numbers NUMBERS = Numbers.CURRENT;

    enum Lifetime {
        STATIC,
        DYNAMIC
    }

    /** No number lies at 0, where the header is; and 0 is what an unsafely published object could show. */
    private static final long CLOSED = 0;

    private final String name;
    private final NumericWidth width;

    /** The place in the area, kept here and not in a Piece: this field is on the hot path. */
    private long position;

    private final boolean isStatic;

    PureNumeric(String name, NumericWidth width, Lifetime lifetime) {
        this.name = name;
        this.width = width;
        this.isStatic = lifetime == Lifetime.STATIC;
        this.position = isStatic
                ? Area.allocate(width.bytes(), width.bytes(), name)
                : Area.allocateFor(this, width.bytes(), width.bytes(), name);
    }

    /** Zero is what the memory is already, and writing it would make pages. */
    void initialize(long initial) {
        if (width.wrap(initial) != 0) {
            for (CpuId cpu : CpuMask.possible()) {
                WidthAccess.set(width, Area.offset(cpu.id(), position), initial);
            }
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String type() {
        return width.toString();
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
    public void close() {
        if (isStatic) {
            throw new UnsupportedOperationException(
                    name + " is static and lives as long as the process; PerCpuNumeric.create makes one to close");
        }
        position = CLOSED;
    }

    @Override
    public String toString() {
        return position == CLOSED ? name + ", closed" : name + " = " + sum();
    }
}

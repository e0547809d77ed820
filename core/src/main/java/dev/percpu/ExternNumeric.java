package dev.percpu;

import dev.percpu.internal.code.Op;
import dev.percpu.internal.extern.NativeVariable;
import dev.percpu.internal.protocol.Numbers;
import dev.percpu.memory.NumericWidth;

/** A number that C code defines and that no guard protects. */
final class ExternNumeric extends PerCpuNumeric {
    private static final Numbers NUMBERS = Numbers.CURRENT;

    private final NativeVariable variable;
    private final NumericWidth width;
    private final long position;

    ExternNumeric(NativeVariable variable, NumericWidth width) {
        variable.checkSize(width.bytes(), width);
        variable.checkAlignment(width.bytes(), width);
        this.variable = variable;
        this.width = width;
        this.position = variable.position();
    }

    @Override
    public NumericWidth width() {
        return width;
    }

    @Override
    long position() {
        variable.checkOpen();
        return position;
    }

    @Override
    long update(Op op, long operand, long expected) {
        return width.wrap(NUMBERS.update(op, width, position(), operand, expected));
    }

    @Override
    void update(Op op, long operand) {
        NUMBERS.update(op, width, position(), operand, 0);
    }

    @Override
    public String toString() {
        return variable.scope().isAlive()
                ? variable.name() + " = " + sum()
                : variable.name() + ": the arena of its lookup has been closed";
    }
}

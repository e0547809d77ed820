package dev.percpu;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.WidthAccess;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.guard.OpenGuards;
import dev.percpu.internal.guard.PaddedArray;
import dev.percpu.internal.protocol.Numbers;
import dev.percpu.memory.NumericWidth;
import java.lang.ref.Reference;

/**
 * A number that the guard protects. An update without a result is a sequence that checks the guard word, so it need not
 * acquire the guard. An update with a result acquires the guard, and so does an update that found the guard taken.
 */
final class GuardedNumeric extends PerCpuNumeric {
    private static final Numbers NUMBERS = Numbers.CURRENT;

    private final PerCpu<NumericCell> variable;
    private final NumericWidth width;

    GuardedNumeric(PerCpu<NumericCell> variable) {
        this.variable = variable;
        this.width = variable.ptr().getPtr().width();
    }

    @Override
    public NumericWidth width() {
        return width;
    }

    @Override
    long position() {
        return variable.ptr().position();
    }

    @Override
    @SuppressWarnings("MustBeClosedChecker") // it does not see that "try (guard)" closes it
    long update(Op op, long operand, long expected) {
        CpuGuard guard = CpuGuard.acquire();
        try (guard) {
            long offset = Area.offset(guard.cpu().id(), position());
            long old = WidthAccess.get(width, offset);
            if (op == Op.READ || (op == Op.CMPXCHG && old != width.wrap(expected))) {
                return old;
            }
            long next = width.wrap(op.applyTo(old, operand));
            WidthAccess.set(width, offset, next);
            return op.computes() ? next : old;
        } finally {
            // As in PerCpu.with, but this guard has no tokens.
            int count = PaddedArray.FIRST + guard.cpu * PaddedArray.DISTANCE;
            if (!guard.closing && OpenGuards.COUNTS[count] == guard.level + 1) {
                OpenGuards.COUNTS[count] = guard.level;
            }
            Reference.reachabilityFence(variable);
        }
    }

    @Override
    void update(Op op, long operand) {
        boolean done;
        try {
            done = NUMBERS.updateUnlessGuarded(op, width, position(), operand);
        } finally {
            Reference.reachabilityFence(variable);
        }
        if (!done) {
            update(op, operand, 0);
        }
    }

    @Override
    public String toString() {
        try {
            return variable + " = " + sum();
        } catch (IllegalStateException closed) {
            // The variable's own text says that it is closed.
            return variable.toString();
        }
    }
}

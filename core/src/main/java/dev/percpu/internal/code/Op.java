package dev.percpu.internal.code;

import dev.percpu.memory.NumericWidth;

/** What a sequence does to the current CPU's instance of a number. */
public enum Op {
    /** Loads the instance. */
    READ(Result.OLD),
    /** Adds the operand. */
    ADD(Result.NEW),
    /** Adds the operand; instance and operand are the bits of a {@code double}. */
    ADD_DOUBLE(Result.NEW),
    /** Clears the bits that the operand does not have: a bitwise AND. */
    AND(Result.NEW),
    /** Sets the operand's bits. */
    OR(Result.NEW),
    /** Replaces the instance by the operand if that is greater; both are unsigned. Only events do this. */
    MAX(Result.OLD),
    /** Replaces the instance by the operand. */
    XCHG(Result.OLD),
    /** Replaces the instance by the operand if it equals the expected value. */
    CMPXCHG(Result.OLD);

    private enum Result {
        OLD,
        NEW
    }

    private final Result result;

    Op(Result result) {
        this.result = result;
    }

    /** Whether the new value is computed from the old one, and is also the result. */
    public boolean computes() {
        return result == Result.NEW;
    }

    /** Whether the catalogue has this operation on pure numbers of a width. Doubles have 64 bits. */
    public boolean isPure(NumericWidth width) {
        return this != MAX && (this != ADD_DOUBLE || width == NumericWidth.LONG);
    }

    /**
     * Whether the catalogue has this operation on guarded numbers. Its sequence does not return the number: see {@link
     * Catalogue#guarded}. So there is none for an operation that is useless without its result. A caller that needs the
     * result of another one acquires the guard. No guarded number is a {@code double}, and no event updates a guarded
     * number.
     */
    public boolean isGuarded() {
        return switch (this) {
            case ADD, AND, OR, XCHG -> true;
            case READ, ADD_DOUBLE, MAX, CMPXCHG -> false;
        };
    }

    /** Whether an event can have this operation, on numbers of 64 bits. */
    boolean isOfEvents() {
        return this == ADD || this == ADD_DOUBLE || this == MAX;
    }

    /** The same operation in Java: the new value if the old one is {@code old}. */
    public long applyTo(long old, long operand) {
        return switch (this) {
            case READ -> old;
            case ADD -> old + operand;
            case ADD_DOUBLE ->
                Double.doubleToRawLongBits(Double.longBitsToDouble(old) + Double.longBitsToDouble(operand));
            case AND -> old & operand;
            case OR -> old | operand;
            case MAX -> Long.compareUnsigned(operand, old) > 0 ? operand : old;
            case XCHG, CMPXCHG -> operand;
        };
    }
}

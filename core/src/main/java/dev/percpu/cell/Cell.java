package dev.percpu.cell;

import dev.percpu.InteriorMutable;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * Holds a value that can only be read and replaced as a whole, so no code can keep a reference to the inside of the
 * cell: the Rust standard library's {@code Cell}. Use it for immutable values. It is not thread-safe: the guard
 * protects it.
 *
 * @param <T> the type of the value
 */
public final class Cell<T> implements InteriorMutable {
    private T value;

    /** Creates a cell that holds the value. */
    public Cell(T value) {
        this.value = Objects.requireNonNull(value);
    }

    /** The value. */
    public T get() {
        return value;
    }

    /** Replaces the value. */
    public void set(T newValue) {
        value = Objects.requireNonNull(newValue);
    }

    /** Replaces the value and returns the old one. */
    public T replace(T newValue) {
        T old = value;
        set(newValue);
        return old;
    }

    /** Replaces the value with the function's result for it. If the function throws, the value stays the same. */
    public void update(UnaryOperator<T> function) {
        set(function.apply(value));
    }

    /** Exchanges the values of two cells. */
    public void swap(Cell<T> other) {
        set(other.replace(value));
    }

    @Override
    public String toString() {
        return "Cell(" + value + ")";
    }
}

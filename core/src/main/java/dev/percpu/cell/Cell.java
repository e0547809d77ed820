package dev.percpu.cell;

import dev.percpu.InteriorMutable;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * Holds a value that is only ever read and replaced as a whole, so that nobody can hold on to its inside: the Rust
 * standard library's {@code Cell}. It is for immutable values, and is not thread-safe: the guard protects it.
 *
 * @param <T> the type of the value
 */
public final class Cell<T> implements InteriorMutable {
    private T value;

    /** Makes a cell that holds the value. */
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

    /** Replaces the value by what the function makes of it. If the function throws, the value stays. */
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

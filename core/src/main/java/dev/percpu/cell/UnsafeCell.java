package dev.percpu.cell;

import dev.percpu.InteriorMutable;
import java.util.Objects;

/**
 * Hands out the object it holds and checks nothing: the Rust standard library's {@code UnsafeCell}, for building cells
 * of your own. Whoever uses the object sees to it that uses do not disturb each other.
 *
 * @param <T> the type of the object
 */
public final class UnsafeCell<T> implements InteriorMutable {
    private final T object;

    /** Makes a cell that holds the object. */
    public UnsafeCell(T object) {
        this.object = Objects.requireNonNull(object);
    }

    /** The object. */
    public T get() {
        return object;
    }

    @Override
    public String toString() {
        return "UnsafeCell(" + object + ")";
    }
}

package dev.percpu.cell;

import dev.percpu.InteriorMutable;
import java.util.Objects;

/**
 * Gives access to the object it holds and checks nothing: the Rust standard library's {@code UnsafeCell}, for building
 * cells of your own. Callers must make sure that their uses of the object do not interfere with each other.
 *
 * @param <T> the type of the object
 */
public final class UnsafeCell<T> implements InteriorMutable {
    private final T object;

    /** Creates a cell that holds the object. */
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

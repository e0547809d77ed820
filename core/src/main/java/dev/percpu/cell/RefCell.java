package dev.percpu.cell;

import com.google.errorprone.annotations.MustBeClosed;
import dev.percpu.InteriorMutable;
import java.util.Objects;

/**
 * Lends out the object it holds, to one writer or to several readers at a time: the Rust standard library's {@code
 * RefCell}. A borrow that conflicts with one that is still open throws. It is not thread-safe: the guard protects it.
 *
 * <pre>{@code
 * try (RefCell.Ref<List<String>> names = cell.borrowMut()) {
 *     names.get().add("eve");
 * }
 * }</pre>
 *
 * @param <T> the type of the object
 */
public final class RefCell<T> implements InteriorMutable {
    private static final int WRITER = -1;

    private T object;

    /** How many readers there are, or {@link #WRITER}. */
    private int borrows;

    /** Creates a cell that holds the object. */
    public RefCell(T object) {
        this.object = Objects.requireNonNull(object);
    }

    /**
     * Borrows the object for reading.
     *
     * @throws IllegalStateException if it is borrowed for writing
     */
    @MustBeClosed
    public Ref<T> borrow() {
        if (borrows == WRITER) {
            throw new IllegalStateException("already borrowed for writing, so it cannot be borrowed for reading");
        }
        // Made first: if there is no memory for it, nothing is borrowed.
        Ref<T> ref = new Ref<>(this, false);
        borrows++;
        return ref;
    }

    /**
     * Borrows the object for writing.
     *
     * @throws IllegalStateException if it is borrowed already
     */
    @MustBeClosed
    public Ref<T> borrowMut() {
        checkFree("borrowed for writing");
        Ref<T> ref = new Ref<>(this, true);
        borrows = WRITER;
        return ref;
    }

    /**
     * Replaces the object and returns the old one.
     *
     * @throws IllegalStateException if it is borrowed
     */
    public T replace(T newObject) {
        checkFree("replaced");
        T old = object;
        object = Objects.requireNonNull(newObject);
        return old;
    }

    private void checkFree(String wanted) {
        if (borrows != 0) {
            throw new IllegalStateException(
                    borrows == WRITER
                            ? "already borrowed for writing, so it cannot be " + wanted
                            : "already borrowed by " + borrows + " for reading, so it cannot be " + wanted);
        }
    }

    @Override
    public String toString() {
        return borrows == WRITER ? "RefCell(borrowed)" : "RefCell(" + object + ")";
    }

    /**
     * A borrow, which ends when it is closed. Closing it again does nothing.
     *
     * @param <T> the type of the object
     */
    public static final class Ref<T> implements AutoCloseable {
        private final RefCell<T> cell;
        private final boolean writes;
        private boolean closed;

        private Ref(RefCell<T> cell, boolean writes) {
            this.cell = cell;
            this.writes = writes;
        }

        /**
         * The object, which may be used until this borrow is closed.
         *
         * @throws IllegalStateException if this borrow is closed
         */
        public T get() {
            checkOpen();
            return cell.object;
        }

        /**
         * Replaces the object: Rust's {@code *borrow = x}.
         *
         * @throws IllegalStateException if this borrow is closed
         * @throws UnsupportedOperationException if this is a borrow for reading
         */
        public void set(T newObject) {
            checkOpen();
            if (!writes) {
                throw new UnsupportedOperationException("borrowed for reading: borrowMut() borrows for writing");
            }
            cell.object = Objects.requireNonNull(newObject);
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                cell.borrows = writes ? 0 : cell.borrows - 1;
            }
        }

        private void checkOpen() {
            if (closed) {
                throw new IllegalStateException("this borrow is closed");
            }
        }
    }
}

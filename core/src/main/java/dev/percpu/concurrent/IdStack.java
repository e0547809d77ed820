package dev.percpu.concurrent;

/** A bounded stack of ids. The caller's lock protects it. */
final class IdStack {
    static final int EMPTY = -1;

    private final int[] ids;
    private int size;

    IdStack(int capacity) {
        ids = new int[capacity];
    }

    /** Pushes an id. If this throws, nothing was done: no call in it could fail half way. */
    void push(int id) {
        ids[size] = id;
        size++;
    }

    /** Pops the id that was pushed last; {@link #EMPTY} if there is none. */
    int pop() {
        if (size == 0) {
            return EMPTY;
        }
        size--;
        return ids[size];
    }

    int size() {
        return size;
    }

    /** How many more ids it has room for. */
    int room() {
        return ids.length - size;
    }
}

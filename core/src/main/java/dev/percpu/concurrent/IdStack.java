package dev.percpu.concurrent;

/** A stack of numbers with room for so many, which the caller's lock protects. */
final class IdStack {
    static final int EMPTY = -1;

    private final int[] ids;
    private int size;

    IdStack(int capacity) {
        ids = new int[capacity];
    }

    /** Either puts the number here, or throws and does nothing: what it does calls nothing that could fail half way. */
    void push(int id) {
        ids[size] = id;
        size++;
    }

    /** Takes the number that was put here last; {@link #EMPTY} if there is none. */
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

    /** How many more it has room for. */
    int room() {
        return ids.length - size;
    }
}

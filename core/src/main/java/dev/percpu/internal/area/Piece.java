package dev.percpu.internal.area;

/** A piece of every CPU's place, shared by several objects. It has a name for messages, and it can be closed. */
public final class Piece {
    /**
     * The position of what is closed. No piece begins at 0, where the header is; and 0 is what a thread can read from
     * an object that was published unsafely.
     */
    public static final long CLOSED = 0;

    private static final long NOWHERE = -1;

    private final String name;
    private long position;

    private Piece(String name, long position) {
        this.name = name;
        this.position = position;
    }

    /** A piece without memory: it only has a name and can be closed. */
    public static Piece empty(String name) {
        return new Piece(name, NOWHERE);
    }

    /** A piece at a position that somebody else has taken. */
    public static Piece at(String name, long position) {
        return new Piece(name, position);
    }

    /** Takes a piece that is given back once this object is unreachable, closed or not. */
    public static Piece collectable(String name, int bytes, long alignment) {
        Piece piece = empty(name);
        piece.position = Area.allocateFor(piece, bytes, alignment, name);
        return piece;
    }

    public String name() {
        return name;
    }

    /**
     * The position. A caller that computes with it must keep this object reachable until it has finished.
     *
     * @throws IllegalStateException if the piece is closed
     */
    public long position() {
        long current = position;
        if (current == CLOSED) {
            throw new IllegalStateException(name + " is closed");
        }
        return current;
    }

    /**
     * Checks that the piece is not closed.
     *
     * @throws IllegalStateException if the piece is closed
     */
    public void checkOpen() {
        position();
    }

    /** Closes the piece: its position is no longer available. */
    public void close() {
        position = CLOSED;
    }
}

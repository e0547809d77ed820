package dev.percpu.internal.area;

/** A piece of every CPU's place that objects share, with a name for messages and an end. */
public final class Piece {
    /** No piece begins at 0, where the header is; and 0 is what an unsafely published object could show. */
    private static final long CLOSED = 0;

    private static final long NOWHERE = -1;

    private final String name;
    private long position;

    private Piece(String name, long position) {
        this.name = name;
        this.position = position;
    }

    /** A name and an end, without memory. */
    public static Piece empty(String name) {
        return new Piece(name, NOWHERE);
    }

    /** Takes a piece for good. */
    public static Piece permanent(String name, long bytes, long alignment) {
        return new Piece(name, Area.allocate(bytes, alignment, name));
    }

    /** Takes a piece that is given back once it is unreachable, closed or not. */
    public static Piece collectable(String name, int bytes, long alignment) {
        Piece piece = empty(name);
        piece.position = Area.allocateFor(piece, bytes, alignment, name);
        return piece;
    }

    public String name() {
        return name;
    }

    /**
     * The position. Who computes with it must keep this object reachable until it is done.
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
     * @throws IllegalStateException if it is
     */
    public void checkOpen() {
        position();
    }

    public boolean isClosed() {
        return position == CLOSED;
    }

    /** Lets no one get at the position any more. */
    public void close() {
        position = CLOSED;
    }
}

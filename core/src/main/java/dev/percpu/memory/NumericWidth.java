package dev.percpu.memory;

/** The width of a per-CPU number. Arithmetic wraps at the width, as Java's own types do. */
public enum NumericWidth {
    /** 8 bits, as {@code byte}. */
    BYTE(8),
    /** 16 bits, as {@code short}. */
    SHORT(16),
    /** 32 bits, as {@code int}. */
    INT(32),
    /** 64 bits, as {@code long}. */
    LONG(64);

    private final int bits;

    NumericWidth(int bits) {
        this.bits = bits;
    }

    /** The width in bits. */
    public int bits() {
        return bits;
    }

    /** The width in bytes. */
    public int bytes() {
        return bits / Byte.SIZE;
    }

    /** Truncates the value to this width and sign-extends the result, as a number of this width does. */
    public long wrap(long value) {
        int unused = Long.SIZE - bits;
        return value << unused >> unused;
    }
}

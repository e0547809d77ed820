package dev.percpu.internal.protocol;

/** Spreads numbers over the bits of a hash, even if they are close together or at equal distances. */
final class Spread {
    /** A number is multiplied by it: 2^64 divided by the golden ratio. A constant, so no class is loaded to use it. */
    static final long FACTOR = 0x9e3779b97f4a7c15L;

    private Spread() {}
}

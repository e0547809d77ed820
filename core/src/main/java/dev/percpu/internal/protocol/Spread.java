package dev.percpu.internal.protocol;

/** Spreads numbers that are close together, or as far apart as others, over the bits of a hash. */
final class Spread {
    /** A number is multiplied by it: 2^64 divided by the golden ratio. A constant, so no class is loaded to use it. */
    static final long FACTOR = 0x9e3779b97f4a7c15L;

    private Spread() {}
}

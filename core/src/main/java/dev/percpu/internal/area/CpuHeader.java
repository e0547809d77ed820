package dev.percpu.internal.area;

/** What lies at the start of every CPU's place. */
public final class CpuHeader {
    /**
     * The guard word. It is 0 if the CPU's guard is free. Otherwise it is the owner's {@link Thread#threadId()} or, if
     * the owner is C code, a negative number, which {@code percpu.h} describes.
     */
    public static final long GUARD_WORD = 0;

    /** How many guards C code has nested in its outermost one; only an owner that is C code accesses it. */
    public static final long NATIVE_NESTED = 8;

    // At 16, C code stores when it last compared the beginning of an owner. Java has no use for it.

    /** The word has its cache line to itself, and also the neighbouring line, which processors fetch along with it. */
    static final long SIZE = 128;

    private CpuHeader() {}
}

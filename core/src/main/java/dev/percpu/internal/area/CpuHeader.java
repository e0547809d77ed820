package dev.percpu.internal.area;

/** What lies at the start of every CPU's place. */
public final class CpuHeader {
    /**
     * The guard word: 0 if the CPU's guard is free, else its owner's {@link Thread#threadId()}, or, if the owner is C
     * code, the negative number of the kernel's thread.
     */
    public static final long GUARD_WORD = 0;

    /** How many guards C code has nested in its outermost one; only such an owner touches it. */
    public static final long NATIVE_NESTED = 8;

    /** The word has its cache line for itself, and the one that is fetched with it. */
    static final long SIZE = 128;

    private CpuHeader() {}
}

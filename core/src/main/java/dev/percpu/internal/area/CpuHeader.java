package dev.percpu.internal.area;

/** What lies at the start of every CPU's place. */
public final class CpuHeader {
    /**
     * The guard word. It is 0 if the CPU's guard is free. Otherwise it is the owner's {@link Thread#threadId()} or, if
     * the owner is C code, the negative number of the kernel's thread.
     */
    public static final long GUARD_WORD = 0;

    /** How many guards C code has nested in its outermost one; only an owner that is C code accesses it. */
    public static final long NATIVE_NESTED = 8;

    /** The word has its cache line to itself, and also the neighbouring line, which processors fetch along with it. */
    static final long SIZE = 128;

    private CpuHeader() {}
}

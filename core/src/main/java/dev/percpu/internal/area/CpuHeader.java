package dev.percpu.internal.area;

/** What lies at the start of every place. Each word lies behind the one before, so that no two overlap. */
public final class CpuHeader {
    /**
     * The guard word. It is 0 if the CPU's guard is free. Otherwise it is the owner's {@link Thread#threadId()} or, if
     * the owner is C code, a negative number, which {@code percpu.h} describes.
     */
    public static final long GUARD_WORD = 0;

    /** How many guards C code has nested in its outermost one; only an owner that is C code accesses it. */
    public static final long NATIVE_NESTED = GUARD_WORD + Long.BYTES;

    /** When C code last compared the start time of an owner. Java has no use for it. */
    private static final long NATIVE_COMPARED = NATIVE_NESTED + Long.BYTES;

    /*
     * The words from here on are for class initializers. An initializer makes each kind of update once, so that no
     * later update has to load a class, which could fail. It uses these words of the spare place and of the place for
     * gates, as if a number lay there. Two threads may initialize two classes at a time, so each class has words of
     * its own, except for the one that is always 0.
     */

    /** One word, for a gate. */
    public static final long REHEARSED_GATE = NATIVE_COMPARED + Long.BYTES;

    /** The two words of a sum, and its gate. */
    public static final long REHEARSED_SUM = REHEARSED_GATE + Long.BYTES;

    /** The three words of a tally. */
    public static final long REHEARSED_TALLY = REHEARSED_SUM + 3 * Long.BYTES;

    /** One word, always 0, for a slot of stripes and, in the current CPU's place, for a compare-and-exchange. */
    public static final long REHEARSED_SLOT = REHEARSED_TALLY + 3 * Long.BYTES;

    /** One word, for a number in a thread's own place; in such a place itself, for a maximum. */
    public static final long REHEARSED_OWN_NUMBER = REHEARSED_SLOT + Long.BYTES;

    /** The two words of a stack with room for one item. */
    public static final long REHEARSED_STACK = REHEARSED_OWN_NUMBER + Long.BYTES;

    /** How far the words reach. */
    public static final long END = REHEARSED_STACK + 2 * Long.BYTES;

    /** The guard word has its cache line to itself, and the neighbouring line, which processors fetch along with it. */
    public static final long SIZE = 128;

    private CpuHeader() {}
}
